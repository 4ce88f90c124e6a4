import csv
import errno
import os

import pytest

pytest.importorskip("av")

from glore_seg.datasets.kinetics import (
    Segment,
    class_names,
    convert_kinetics,
    find_videos,
    paths_of,
    read_segments,
)
from glore_seg.errors import DataError
from tests.datasets.video.files import cut, write_clip, write_noise

COLUMNS = "label,youtube_id,time_start,time_end,split"


def write(path, *lines, columns=COLUMNS):
    path.write_text("".join(f"{line}\n" for line in (columns, *lines)))
    return path


def name(youtube_id):
    return f"{youtube_id}_000001_000011.mp4"


def test_segments(tmp_path):
    path = write(
        tmp_path / "val.csv",
        '"arguing, loudly",-0aBc_9,7,17,validate',
        "yoga,zz,60.0,70.0,train",
        columns=f"\ufeff{COLUMNS}",
    )
    first, second = read_segments(path)
    assert first == Segment("-0aBc_9", 7, 17, "val", "arguing, loudly")
    assert first.stem == "-0aBc_9_000007_000017"
    assert second == Segment("zz", 60, 70, "train", "yoga")
    unlabelled = write(tmp_path / "test.csv", "a,1,11,test", columns=COLUMNS[6:])
    assert read_segments(unlabelled) == [Segment("a", 1, 11, "test", None)]


@pytest.mark.parametrize(
    ("columns", "line", "message"),
    [
        ("label,youtube_id,time_start,time_end", "a,b,1,2", r"line 2 of .*val\.csv .*'split'"),
        (COLUMNS, "a,b,x,2,val", r"line 2 of .*val\.csv .*'x'"),
        (COLUMNS, "a,b,1,2,dev", "'dev'"),
        (COLUMNS, "a,b", "line 2"),
        (COLUMNS, "a,b,1e400,2,val", "line 2"),
        (COLUMNS, "a,b,-1,2,val", "negative time"),
        (COLUMNS, "a,,1,2,val", "empty youtube_id"),
        (COLUMNS, f"{'a' * 200_000},b,1,2,val", "line 2 of"),
    ],
)
def test_rejects_lines(tmp_path, columns, line, message):
    with pytest.raises(DataError, match=message):
        read_segments(write(tmp_path / "val.csv", line, columns=columns))


def test_classes(tmp_path):
    segments = [Segment("a", 0, 1, "val", label) for label in ("yoga", "archery", "yoga", None)]
    assert class_names(segments, None) == ["archery", "yoga"]
    file = tmp_path / "classes.txt"
    file.write_text("yoga\nbowling\narchery\n\n")
    assert class_names(segments, file) == ["yoga", "bowling", "archery"]
    file.write_text("yoga\nyoga\n")
    with pytest.raises(DataError, match=r"it lacks \['archery'\] and repeats 1 lines"):
        class_names(segments, file)
    with pytest.raises(DataError, match="the CSV files name no classes"):
        class_names(segments[-1:], None)


def test_finds_videos(tmp_path):
    (tmp_path / "brush_teeth").mkdir()
    for path in (name("a"), f"brush_teeth/{name('a')}", "b.webm", "notes.txt", ".c.mp4"):
        (tmp_path / path).touch()
    videos = find_videos(tmp_path)
    assert videos == {name("a")[:-4]: [name("a"), f"brush_teeth/{name('a')}"], "b": ["b.webm"]}
    for youtube_id, label, expected in (
        ("a", "Brush teeth", [f"brush_teeth/{name('a')}", name("a")]),
        ("a", "yoga", [name("a"), f"brush_teeth/{name('a')}"]),
        ("b", "yoga", ["b.webm"]),
        ("c", "yoga", []),
    ):
        assert paths_of(Segment(youtube_id, 1, 11, "val", label), videos) == expected
    with pytest.raises(DataError, match=r"no video \(\.mp4, .*brush_teeth/none or below"):
        find_videos(tmp_path / "brush_teeth" / "none")


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
    rows = {
        "train": [("archery", "good"), ("riding a bike", "rotated"), ("archery", "empty")],
        "val": [("archery", "brief"), ("riding a bike", "short"), ("archery", "gone")],
    }
    for split, pairs in rows.items():
        lines = (f"{label},{one},1,11,{split}" for label, one in pairs)
        write(tmp_path / f"{split}.csv", *lines)
    return tmp_path


def convert(root, *names, **options):
    files = [root / each for each in names or ("train.csv", "val.csv")]
    settings = {"min_frames": 8, "progress": False, **options}
    return convert_kinetics(files, root / "videos", root / "out", **settings)


def listed(root, split):
    return (root / "out" / f"kinetics400_{split}_list_videos.txt").read_text().splitlines()


@pytest.mark.parametrize("num_workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_lists_classes_and_problems(kinetics, num_workers):
    report = convert(kinetics, num_workers=num_workers)
    out = kinetics / "out"
    assert (out / "kinetics400_classes.txt").read_text() == "archery\nriding a bike\n"
    train = [f"archery/{name('good')} 0", f"riding a bike/{name('rotated')} 1"]
    assert listed(kinetics, "train") == train
    assert listed(kinetics, "val") == [f"{name('brief')} 0", f"{name('short')} 1"]
    found = {}
    for split in ("train", "val"):
        with (out / f"kinetics400_{split}_problems.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                found[row["youtube_id"].split("_")[0], row["problem"]] = row["detail"]
    found.pop(("short", "corrupted"), None)  # whether a half frame decodes depends on FFmpeg
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


def test_a_killed_run_goes_on(kinetics):
    convert(kinetics)
    checked = kinetics / "out" / "kinetics400_checked.jsonl"
    wanted, problems = checked.read_text(), kinetics / "out" / "kinetics400_train_problems.csv"
    first, *others, last = wanted.strip().splitlines()
    earlier = first.replace("[]]", '[["corrupted", "found before the kill"]]]')
    checked.write_text("\n".join([earlier, *others, last[:30]]))
    convert(kinetics)
    assert "found before the kill" in problems.read_text()
    assert [*filter(None, checked.read_text().splitlines())] == [earlier, *others, last[:30], last]
    os.utime(kinetics / "videos" / "archery" / name("good"))
    convert(kinetics)
    assert "found before the kill" not in problems.read_text()


def test_another_min_frames_checks_the_videos_again(kinetics):
    checked = kinetics / "out" / "kinetics400_checked.jsonl"
    for min_frames, short, times in ((8, 1, 1), (4, 0, 2), (8, 1, 2)):
        report = convert(kinetics, min_frames=min_frames)
        assert report.problems["val"]["short"] == short
        assert checked.read_text().count(f'[["{name("brief")}"') == times


def test_an_error_of_reading_is_not_said_to_be_of_writing(kinetics, monkeypatch):
    def fail(*args, **options):
        raise PermissionError(errno.EACCES, "no access", "a.mp4")

    monkeypatch.setattr("glore_seg.datasets.kinetics.check_video", fail)
    with pytest.raises(PermissionError, match=r"a\.mp4"):
        convert(kinetics)


def test_classes_file_sets_the_order(kinetics):
    (kinetics / "classes.txt").write_text("riding a bike\nyoga\narchery\n")
    report = convert(kinetics, classes_file=kinetics / "classes.txt")
    assert report.classes == ["riding a bike", "yoga", "archery"]
    assert listed(kinetics, "train")[0] == f"archery/{name('good')} 2"


def test_rejects_other_classes_than_those_of_a_list(kinetics):
    convert(kinetics)
    train = listed(kinetics, "train")
    write(kinetics / "later.csv", "yoga,brief,1,11,val")
    with pytest.raises(DataError, match=r"other classes than these 1, and kinetics400_train_list"):
        convert(kinetics, "later.csv")
    assert listed(kinetics, "train") == train
    (kinetics / "out" / "kinetics400_train_list_videos.txt").unlink()
    convert(kinetics, "later.csv")
    assert (kinetics / "out" / "kinetics400_classes.txt").read_text() == "yoga\n"
