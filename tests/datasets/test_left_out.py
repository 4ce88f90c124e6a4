"""Images that a dataset leaves out are told."""

import re

import pytest
from mmengine.dataset import ConcatDataset
from mmseg.datasets import CityscapesDataset

from glore_seg.datasets.left_out import describe_left_out
from tests.datasets.label_folders import build, write

FOUR = [[0]] * 4


@pytest.mark.parametrize(
    ("suffixes", "value"),
    [
        ((".jpg", ".png"), r"2 of 4 label maps in .*labels have no image \*\.jpg; .*\(2 \*\.png\)"),
        ((".jpg", ".JPG", ".jpeg", ".JPEG"), r"3 of 4 .*\(1 \*\.JPEG, 1 \*\.JPG, 1 \*\.jpeg\)"),
    ],
)
def test_other_suffixes(tmp_path, suffixes, value):
    (text,) = describe_left_out(build(write(tmp_path, FOUR, suffixes)))
    assert re.search(value, text)


def test_missing_images(tmp_path):
    (write(tmp_path, FOUR) / "images/002.jpg").unlink()
    (text,) = describe_left_out(build(tmp_path))
    assert re.search(r"1 of 4 label maps .* such as 002", text)


def test_images_without_labels(tmp_path):
    write(tmp_path, FOUR, (".jpg", ".png"))
    (text,) = describe_left_out(build(tmp_path, data_prefix={"img_path": "images"}))
    assert re.search(r"left out \(2 \*\.png\)", text)


def test_datasets_of_one_folder_count_together(tmp_path):
    write(tmp_path, FOUR, (".jpg", ".png"))
    both = [build(tmp_path, img_suffix=suffix) for suffix in (".jpg", ".png")]
    assert describe_left_out(ConcatDataset(both)) == []
    assert len(describe_left_out(ConcatDataset(both[:1]))) == 1


@pytest.mark.parametrize("sample", [{}, {"img_path": ["a.jpg", "b.jpg"]}])
def test_samples_that_are_no_image_files_are_passed_over(tmp_path, monkeypatch, sample):
    dataset = build(write(tmp_path, FOUR, (".jpg", ".png")))
    monkeypatch.setattr(dataset, "get_data_info", lambda index: sample)
    assert describe_left_out(dataset) == []


def test_usual_folders(tmp_path, street_scenes):
    write(tmp_path, FOUR, (".jpg", ".png"))
    (tmp_path / "names.txt").write_text("000\n")
    assert describe_left_out(build(tmp_path, ann_file="names.txt")) == []
    assert describe_left_out(build(tmp_path, indices=1)) == []
    assert describe_left_out([1, 2]) == []
    # images and labels in one folder
    write(tmp_path / "one", FOUR)
    for path in (tmp_path / "one/labels").iterdir():
        path.rename(tmp_path / "one/images" / path.name)
    prefix = {"img_path": "images", "seg_map_path": "images"}
    assert describe_left_out(build(tmp_path / "one", data_prefix=prefix)) == []
    # labels in a folder of that of the images
    (tmp_path / "labels").rename(tmp_path / "images/labels")
    prefix = {"img_path": "images", "seg_map_path": "images/labels"}
    (text,) = describe_left_out(build(tmp_path, data_prefix=prefix))
    assert "2 *.png" in text
    prefix = {"img_path": "leftImg8bit/train", "seg_map_path": "gtFine/train"}
    cityscapes = CityscapesDataset(data_root=str(street_scenes), data_prefix=prefix)
    assert describe_left_out(cityscapes) == []
