import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glore_seg.datasets import (
    CITYSCAPES_COUNTS,
    CheckedCityscapesDataset,
    check_cityscapes,
    make_train_ids,
)
from glore_seg.datasets.cityscapes import draw_train_ids
from glore_seg.errors import DataError

KINDS = ("polygons.json", "labelTrainIds.png")


def problems(root, **options):
    return check_cityscapes(root, **options).problems


def test_complete_folder(few_scenes):
    report = check_cityscapes(few_scenes, allow_incomplete=True)
    assert report.problems == []
    assert report.without_train_ids == 0
    assert report.counts["train"] == {
        "images": 4, "polygons": 4, "labelIds": 4, "labelTrainIds": 4,
    }  # fmt: skip
    assert report.counts["test"]["images"] == 1


def test_expects_the_counts_of_cityscapes(few_scenes, monkeypatch):
    assert CITYSCAPES_COUNTS == {"train": 2975, "val": 500, "test": 1525}
    found = problems(few_scenes)
    assert len(found) == 3
    assert "train: 4 images, expected 2975" in found[0]
    for split, count in (("train", 4), ("val", 2), ("test", 1)):
        monkeypatch.setitem(CITYSCAPES_COUNTS, split, count)
    assert problems(few_scenes) == []


def test_what_is_missing_is_named(tmp_path):
    (message,) = problems(tmp_path / "cityscapes")
    assert "cityscapes is missing: create it, or link your copy" in message
    images, labels = problems(tmp_path)
    assert "download leftImg8bit_trainvaltest.zip from https://www.cityscapes" in images
    assert "download gtFine_trainvaltest.zip" in labels
    for folder in ("leftImg8bit", "gtFine"):
        (tmp_path / folder).mkdir()
    (message,) = problems(tmp_path, allow_incomplete=True)
    assert "no *_leftImg8bit.png in" in message


def test_unpaired_files(few_scenes):
    min(few_scenes.rglob("*train/*/*_leftImg8bit.png")).unlink()
    for path in (few_scenes / "gtFine/val/frankfurt").iterdir():
        path.unlink()
    train, val = problems(few_scenes, allow_incomplete=True)
    assert "train: 1 of 4 labels have no image" in train
    assert "such as aachen/aachen_000000_000019" in train
    assert "val: 1 of 2 images have no label in gtFine" in val


@pytest.mark.parametrize("num_workers", [1, 2])
def test_train_ids(few_scenes, num_workers):
    files = sorted(few_scenes.rglob("*_labelTrainIds.png"))
    expected = [np.asarray(Image.open(path)) for path in files]
    for path in files[1:]:
        path.unlink()
    assert check_cityscapes(few_scenes, allow_incomplete=True).without_train_ids == 5
    counts = make_train_ids(few_scenes, num_workers=num_workers, progress=False)
    assert counts == (5, 1)
    for path, label in zip(files, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), label)
    assert make_train_ids(few_scenes, progress=False) == (0, 6)


def test_coarse_labels(few_scenes):
    fine = sorted(few_scenes.glob("gtFine/train/*/*_polygons.json"))
    expected = [np.asarray(Image.open(str(path).replace(*KINDS))) for path in fine]
    for path in fine:
        target = Path(str(path).replace("gtFine", "gtCoarse").replace("/train/", "/train_extra/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    assert make_train_ids(few_scenes, progress=False) == (0, 6)  # no images
    shutil.copytree(few_scenes / "leftImg8bit/train", few_scenes / "leftImg8bit/train_extra")
    report = check_cityscapes(few_scenes, allow_incomplete=True)
    assert (report.problems, report.without_train_ids) == ([], 4)
    assert report.counts["train_extra, coarse"]["polygons"] == 4
    coarse = partial(
        CheckedCityscapesDataset,
        data_root=str(few_scenes),
        data_prefix={"img_path": "leftImg8bit/train_extra", "seg_map_path": "gtCoarse/train_extra"},
        seg_map_suffix="_gtCoarse_labelTrainIds.png",
        pipeline=[{"type": "LoadAnnotations"}],
    )
    with pytest.raises(DataError, match="4 images have no"):
        coarse()
    assert make_train_ids(few_scenes, progress=False) == (4, 6)
    for sample, label in zip(coarse(), expected, strict=True):
        np.testing.assert_array_equal(sample["gt_seg_map"], label)
    min(few_scenes.glob("leftImg8bit/train_extra/*/*.png")).unlink()
    (problem,) = problems(few_scenes, allow_incomplete=True)
    assert "1 of 4 labels have no image in leftImg8bit" in problem
    assert "leftImg8bit_trainextra.zip" in problem


def polygons(label, polygon, height=8):
    objects = [{"label": label, "polygon": polygon}]
    return json.dumps({"imgHeight": height, "imgWidth": 8, "objects": objects})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (polygons("dragon", [[0, 0], [1, 1]]), "label that cityscapesScripts does not know"),
        (polygons("", []), "label that cityscapesScripts does not know"),
        (polygons("sky", [[1]]), "is not a polygon file"),
        (polygons("sky", [[0, 0], [1, 1]], height=2**40), "is not a polygon file"),
        (polygons("sky", [[0, 0], [1, 1]], height=0), "declares an image of 8 x 0 pixels"),
        ("{", "is not a polygon file"),
    ],
)
def test_rejects_polygons(tmp_path, content, message):
    source = tmp_path / "a_gtFine_polygons.json"
    source.write_text(content)
    with pytest.raises(DataError, match=message):
        draw_train_ids(source)
    assert list(tmp_path.iterdir()) == [source]
    with pytest.raises(DataError, match=r"unpack gtFine_trainvaltest\.zip there"):
        make_train_ids(tmp_path / "none")
