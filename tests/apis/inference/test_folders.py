"""Which results go where, and what a run finds done."""

import cv2
import numpy as np
import pytest

from glore_seg.apis.inference import OutputFolder, Segmentation, find_jobs
from glore_seg.errors import DataError, OutputError
from glore_seg.utils.image_io import write_png

IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.fixture
def images(tmp_path):
    """Two folders with images of one name."""
    for name in ("in/a/1.png", "in/b/1.png", "in/b/2.png", "in/.hidden/3.png"):
        write_png(tmp_path / name, IMAGE)
    (tmp_path / "in/a/notes.txt").write_text("no image")
    return tmp_path / "in"


def names(jobs):
    return [job.name for job in jobs]


def test_names_keep_folders_apart(images, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert names(find_jobs([images], out)) == ["a/1", "b/1", "b/2"]
    assert names(find_jobs([images / "b"], out)) == ["1", "2"]
    both = find_jobs([images / "b", images / "a" / "1.png"], out)
    assert names(both) == ["b/1", "b/2", "a/1"]
    assert names(find_jobs([f"{images}/*/1.png"], out)) == ["a/1", "b/1"]
    assert names(find_jobs([images / "a/1.png", images / "a/1.png"], out)) == ["1"]
    monkeypatch.chdir(images / "a")
    assert names(find_jobs(["1.png", "../b/1.png"], out)) == ["a/1", "b/1"]
    # Results are no inputs.
    write_png(images / "out/labels/a/1.png", IMAGE)
    for out in ("out", "a/../out"):
        assert names(find_jobs([images], images / out)) == ["a/1", "b/1", "b/2"]
    with pytest.raises(DataError, match="only results"):
        find_jobs([images / "out"], images / "out")


def test_rejects_two_files_of_one_name(images, tmp_path):
    (images / "a/1.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"a/1\.(jpg|png) and .*a/1\."):
        find_jobs([images], tmp_path / "out")
    (images / "a/1.jpg").rename(images / "a/1.mp4")  # results of a video have other names
    jobs = find_jobs([images / "a"], tmp_path / "out")
    assert [(job.name, job.is_video) for job in jobs] == [("1", True), ("1", False)]


def segmentation(label):
    labels = np.full((4, 6), label, np.uint8)
    return Segmentation(labels, IMAGE, ("road", "sky"), [[1, 2, 3], [4, 5, 6]])


def open_folder(root, **changes):
    options = {"classes": ("road", "sky"), **changes}
    settings = options.pop("settings", {"source": "x"})
    return OutputFolder(root, settings, **options)


def test_records_what_is_done(images, tmp_path):
    out = tmp_path / "out"
    jobs = find_jobs([images], out)
    folder = open_folder(out, table=np.array([7, 23], np.uint8))
    assert folder.todo(jobs) == jobs
    folder.write(jobs[0], segmentation(1))
    stored = cv2.imread(str(out / "labels/a/1.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(stored, np.full((4, 6), 23))  # an id of the table
    with (out / "predict.jsonl").open("a") as file:
        file.write('{"name": "b/')  # a process that was killed
    folder = open_folder(out)
    assert names(folder.todo(jobs)) == ["b/1", "b/2"]
    folder.write(jobs[1], segmentation(0))
    assert names(open_folder(out).todo(jobs)) == ["b/2"]
    (out / "overlays/a/1.png").unlink()
    assert names(open_folder(out).todo(jobs)) == ["a/1", "b/2"]
    rows = folder.write_shares().read_text().splitlines()
    assert rows == [
        "file,road,sky",
        f"{images}/a/1.png,0.000000,1.000000",
        f"{images}/b/1.png,1.000000,0.000000",
    ]


def test_rejects_other_settings_and_other_images(images, tmp_path):
    out = tmp_path / "out"
    (job,) = find_jobs([images / "a"], out)
    open_folder(out, settings={"source": "of a run without results"})
    folder = open_folder(out)
    folder.write(job, segmentation(1))
    with pytest.raises(OutputError, match=r"source \(x, now y\)"):
        open_folder(out, settings={"source": "y"})
    (other,) = find_jobs([images / "b" / "1.png"], out)
    with pytest.raises(OutputError, match=r"overlays/1\.png.*/a/1\.png"):
        open_folder(out).todo([other])
    write_png(job.path, np.ones((9, 9, 3), np.uint8))
    with pytest.raises(OutputError, match=r"overlays/1\.png"):
        open_folder(out).todo([job])
    assert open_folder(out, settings={"source": "y"}, overwrite=True).todo([job]) == [job]


def test_does_not_replace_unknown_files(images, tmp_path):
    out = tmp_path / "out"
    (job,) = find_jobs([images / "a"], out)
    write_png(out / "labels/1.png", IMAGE)
    with pytest.raises(OutputError, match=r"labels/1\.png"):
        open_folder(out).todo([job])
    journal = out / "predict.jsonl"
    settings = journal.read_text()
    entry = '{"name": "1", "file": ["1.png", 4, 2], "labels": true, "shares": [null, 1]}'
    for text in ("something else", *(settings + line for line in ("null", "[1]", entry))):
        journal.write_text(f"{text}\n")
        with pytest.raises(OutputError, match=r"predict\.jsonl"):
            open_folder(out)
