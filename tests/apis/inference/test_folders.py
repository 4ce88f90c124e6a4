"""Which results go where, and what a run finds done."""

import json

import cv2
import numpy as np
import pytest

from glore_seg.apis.inference import OutputFolder, Segmentation, find_tasks
from glore_seg.apis.inference.output_folder import Task
from glore_seg.errors import GloReSegError
from glore_seg.utils.image_io import write_png

IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.fixture
def images(tmp_path):
    """Two folders with images of one name."""
    for name in ("in/a/1.png", "in/b/1.png", "in/b/2.png", "in/.hidden/3.png"):
        write_png(tmp_path / name, IMAGE)
    (tmp_path / "in/a/notes.txt").write_text("no image")
    return tmp_path / "in"


def names(tasks):
    return [task.name for task in tasks]


def test_names_keep_folders_apart(images, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert names(find_tasks([images], out)) == ["a/1", "b/1", "b/2"]
    assert names(find_tasks([images / "b"], out)) == ["1", "2"]
    assert names(find_tasks([images / "b", images / "a" / "1.png"], out)) == [
        *("b/1", "b/2"),
        "a/1",
    ]
    assert names(find_tasks([f"{images}/*/1.png"], out)) == ["a/1", "b/1"]
    assert names(find_tasks([images / "a/1.png", images / "a/1.png"], out)) == ["1"]
    monkeypatch.chdir(images / "a")
    assert names(find_tasks(["1.png", "../b/1.png"], out)) == ["a/1", "b/1"]


def test_results_are_no_inputs(images, tmp_path):
    write_png(images / "out/labels/a/1.png", IMAGE)
    for out in ("out", "a/../out"):
        assert names(find_tasks([images], images / out)) == ["a/1", "b/1", "b/2"]
    with pytest.raises(ValueError, match="holds nothing but results of"):
        find_tasks([images / "out"], images / "out")


def test_two_endings_of_one_name(images, tmp_path):
    (images / "a/1.jpg").write_bytes(b"")
    kept = ["a/1.jpg", "a/1.png", "b/1", "b/2"]
    assert sorted(names(find_tasks([images], tmp_path / "out"))) == kept
    (images / "a/1.jpg.tif").write_bytes(b"")
    with pytest.raises(ValueError, match=r"the results of .*a/1\.jpg and .* would have one name"):
        find_tasks([images], tmp_path / "out")
    (images / "a/1.jpg.tif").unlink()
    (images / "a/1.jpg").rename(images / "a/1.mp4")  # results of a video have other names
    tasks = find_tasks([images / "a"], tmp_path / "out")
    assert [(task.name, task.is_video) for task in tasks] == [("1", True), ("1", False)]


def segmentation(label):
    labels = np.full((4, 6), label, np.uint8)
    return Segmentation(labels, IMAGE, ("road", "sky"), [[1, 2, 3], [4, 5, 6]])


def open_folder(root, **changes):
    options = {"classes": ("road", "sky"), **changes}
    settings = options.pop("settings", {"source": "x"})
    return OutputFolder(root, settings, **options)


def test_what_is_done_is_remembered(images, tmp_path):
    out = tmp_path / "out"
    tasks = find_tasks([images], out)
    folder = open_folder(out)
    assert folder.todo(tasks) == tasks
    folder.write(tasks[0], segmentation(1))
    with (out / "predict.jsonl").open("a") as file:
        file.write('{"name": "b/')  # a process that was killed
    folder = open_folder(out)
    assert names(folder.todo(tasks)) == ["b/1", "b/2"]
    folder.write(tasks[1], segmentation(0))
    assert names(open_folder(out).todo(tasks)) == ["b/2"]
    (out / "overlays/a/1.png").unlink()
    assert names(open_folder(out).todo(tasks)) == ["a/1", "b/2"]
    rows = folder.write_shares().read_text().splitlines()
    assert rows == [
        "file,road,sky",
        f"{images}/a/1.png,0.000000,1.000000",
        f"{images}/b/1.png,1.000000,0.000000",
    ]


def test_other_settings_and_other_images_are_refused(images, tmp_path):
    out = tmp_path / "out"
    (task,) = find_tasks([images / "a"], out)
    open_folder(out, settings={"source": "of a run that made nothing"})
    folder = open_folder(out)
    folder.write(task, segmentation(1))
    with pytest.raises(GloReSegError, match=r"results of another source \(x, now y\): give ano"):
        open_folder(out, settings={"source": "y"})
    (other,) = find_tasks([images / "b" / "1.png"], out)
    with pytest.raises(GloReSegError, match=r"overlays/1\.png was made of .*/a/1\.png, or"):
        open_folder(out).todo([other])
    write_png(task.path, np.ones((9, 9, 3), np.uint8))
    with pytest.raises(GloReSegError, match="or before it changed: give another --out, or --ov"):
        open_folder(out).todo([task])
    assert open_folder(out, settings={"source": "y"}, overwrite=True).todo([task]) == [task]


def test_what_nobody_remembers_is_left_alone(images, tmp_path):
    out = tmp_path / "out"
    (task,) = find_tasks([images / "a"], out)
    write_png(out / "labels/1.png", IMAGE)
    with pytest.raises(GloReSegError, match=r"labels/1\.png exists: give another --out"):
        open_folder(out).todo([task])
    (out / "predict.jsonl").write_text("something else\n")
    with pytest.raises(ValueError, match=r"predict\.jsonl is no record of a run"):
        open_folder(out)


def test_ids_are_looked_up(images, tmp_path):
    table = np.array([7, 23], np.uint8)
    folder = open_folder(tmp_path / "out", table=table)
    task = Task(images / "a/1.png", "1", is_video=False)
    folder.write(task, segmentation(1))

    stored = cv2.imread(str(tmp_path / "out/labels/1.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(stored, np.full((4, 6), 23))
    line = json.loads((tmp_path / "out/predict.jsonl").read_text().splitlines()[1])
    assert line["shares"] == [0.0, 1.0]


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[1]",
        '{"name": "a"}',
        '{"name": [], "file": ["a", 1, 2], "labels": true, "shares": []}',
    ],
)
def test_a_journal_of_something_else_is_named(tmp_path, line):
    open_folder(tmp_path / "out")
    journal = tmp_path / "out" / "predict.jsonl"
    journal.write_text(journal.read_text() + f"{line}\n")
    with pytest.raises(ValueError, match=r"predict\.jsonl is no record of a run \(.*--overwrite"):
        open_folder(tmp_path / "out")
