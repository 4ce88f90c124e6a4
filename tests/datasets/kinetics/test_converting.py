import csv

import pytest

pytest.importorskip("av")

from glore_seg.datasets.kinetics import check_video, convert_kinetics
from glore_seg.errors import DataError
from tests.datasets.video.files import cut, write_clip, write_noise


def name(youtube_id):
    return f"{youtube_id}_000001_000011.mp4"


@pytest.fixture
def kinetics(tmp_path):
    """CSV files of both splits, and a folder with videos of all kinds."""
    videos = tmp_path / "videos"
    for folder in ("archery", "riding a bike"):
        (videos / folder).mkdir(parents=True)
    write_clip(videos / "archery" / name("good"))
    write_clip(videos / name("good"), 2)
    write_clip(videos / "riding a bike" / name("rotated"), rotation=90)
    write_clip(videos / name("brief"), 5)
    cut(write_noise(videos / name("short")), 0.5)
    (videos / name("empty")).touch()
    columns = "label,youtube_id,time_start,time_end,split"
    rows = {
        "train": [("archery", "good"), ("riding a bike", "rotated"), ("archery", "empty")],
        "val": [("archery", "brief"), ("riding a bike", "short"), ("archery", "gone")],
    }
    for split, pairs in rows.items():
        lines = [columns, *(f"{label},{one},1,11,{split}" for label, one in pairs)]
        (tmp_path / f"{split}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def convert(root, **options):
    files = [root / "train.csv", root / "val.csv"]
    settings = {"min_frames": 8, "progress": False, **options}
    return convert_kinetics(files, root / "videos", root / "out", **settings)


def problems(root):
    found = {}
    for split in ("train", "val"):
        with (root / "out" / f"kinetics400_{split}_problems.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                found[row["youtube_id"].split("_")[0], row["problem"]] = row["detail"]
    return found


def test_lists_classes_and_problems(kinetics):
    report = convert(kinetics)
    out = kinetics / "out"
    assert (out / "kinetics400_classes.txt").read_text() == "archery\nriding a bike\n"
    assert (out / "kinetics400_train_list_videos.txt").read_text().splitlines() == [
        f"archery/{name('good')} 0",
        f"riding a bike/{name('rotated')} 1",
    ]
    assert (out / "kinetics400_val_list_videos.txt").read_text().splitlines() == [
        f"{name('brief')} 0",
        f"{name('short')} 1",
    ]
    found = problems(kinetics)
    assert "cannot be read" in found.pop(("short", "corrupted"), "cannot be read")
    details = {
        ("good", "duplicate"): f"archery/{name('good')} is used, not {name('good')}",
        ("empty", "unreadable"): "cannot be opened as a video",
        ("brief", "short"): "has 5 frames; a clip spans 8",
        ("short", "truncated"): "holds 12 of 24 frames",
        ("gone", "missing"): "gone_000001_000011",
    }
    assert found.keys() == details.keys()
    assert all(detail in found[key] for key, detail in details.items())
    assert report.listed == {"train": 2, "val": 2}
    assert "2 classes\ntrain: 2 videos listed; 1 duplicate, 1 unreadable" in str(report)
    assert f"wrote {out / 'kinetics400_val_problems.csv'}" in str(report)


@pytest.mark.slow
def test_processes_find_the_same(kinetics):
    convert(kinetics)
    alone = problems(kinetics)
    (kinetics / "out" / "kinetics400_checked.jsonl").unlink()
    convert(kinetics, num_workers=2)
    assert problems(kinetics) == alone


def test_checks_each_file_once(kinetics, monkeypatch):
    convert(kinetics)
    first = problems(kinetics)
    cache = kinetics / "out" / "kinetics400_checked.jsonl"
    assert len(cache.read_text().split()) > 5
    checked = []

    def check(path, *, min_frames):
        checked.append(path.name.split("_")[0])
        return check_video(path, min_frames=min_frames)

    monkeypatch.setattr("glore_seg.datasets.kinetics.checking.check_video", check)
    convert(kinetics)
    assert (checked, problems(kinetics)) == ([], first)
    # an interrupted run: the last line is half, and one file was got again
    cache.write_text(cache.read_text()[:-30])
    write_clip(kinetics / "videos" / name("empty"))
    convert(kinetics)
    assert sorted(checked) == ["empty", "short"]
    assert problems(kinetics).keys() == first.keys() - {("empty", "unreadable")}
    checked.clear()
    convert(kinetics)
    assert checked == []
    convert(kinetics, min_frames=4)
    assert len(checked) == 5


def test_classes_file_sets_the_order(kinetics):
    (kinetics / "classes.txt").write_text("riding a bike\nyoga\narchery\n")
    report = convert(kinetics, classes_file=kinetics / "classes.txt")
    assert report.classes == ["riding a bike", "yoga", "archery"]
    first = (kinetics / "out" / "kinetics400_train_list_videos.txt").read_text().splitlines()[0]
    assert first == f"archery/{name('good')} 2"


def test_rejects_other_classes_than_those_of_a_list(kinetics):
    convert(kinetics)
    out = kinetics / "out"
    train = (out / "kinetics400_train_list_videos.txt").read_text()
    (kinetics / "later.csv").write_text(
        "label,youtube_id,time_start,time_end,split\nyoga,brief,1,11,val\n"
    )
    settings = {"min_frames": 8, "progress": False}
    with pytest.raises(DataError, match=r"other classes than these 1, and kinetics400_train_list"):
        convert_kinetics([kinetics / "later.csv"], kinetics / "videos", out, **settings)
    assert (out / "kinetics400_train_list_videos.txt").read_text() == train
    (out / "kinetics400_train_list_videos.txt").unlink()
    convert_kinetics([kinetics / "later.csv"], kinetics / "videos", out, **settings)
    assert (out / "kinetics400_classes.txt").read_text() == "yoga\n"
