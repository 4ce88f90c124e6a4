"""What is said of a dataset before anything is drawn from it, and what passes."""

import random

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations
from torch import nn

from glore_seg.engine.data_checks import check_segmentation_data
from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.errors import GloReSegError

LOAD = {"type": "mmseg.LoadAnnotations"}
CLASSES = ("crop", "weed", "soil")


def user_transform(results):
    return results


@pytest.fixture
def folder(tmp_path):
    """Five images with labels of three classes and pixels without."""
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    label = np.array([[0, 1, 2, 255]] * 4, np.uint8)
    for name in "abcde":
        cv2.imwrite(str(tmp_path / f"images/{name}.jpg"), np.zeros((4, 4, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"labels/{name}.png"), label)
    return tmp_path


def dataset(folder, *, pipeline=(LOAD,), **options):
    return BaseSegDataset(
        data_root=str(folder),
        data_prefix={"img_path": "images", "seg_map_path": "labels"},
        metainfo={"classes": CLASSES},
        pipeline=list(pipeline),
        **options,
    )


def head(num_classes=3, ignore_index=255):
    head = nn.Module()
    head.num_classes, head.ignore_index = num_classes, ignore_index
    return head


def write_label(folder, label, name="b"):
    cv2.imwrite(str(folder / f"labels/{name}.png"), label)


def test_what_fits_takes_no_random_number(folder):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(()).item()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    check_segmentation_data(dataset(folder), head())
    assert (random.random(), np.random.rand(), torch.rand(()).item()) == expected


@pytest.mark.parametrize("anything", [None, [1, 2], object()])
def test_other_data_is_left_alone(anything):
    check_segmentation_data(anything, None)


def test_missing_labels_are_counted_and_named(folder):
    for name in "bd":
        (folder / f"labels/{name}.png").unlink()
    message = r"BaseSegDataset: 2 of 5 labels are missing, first .*labels/b\.png; expected a label "
    with pytest.raises(GloReSegError, match=message + r"\*\.png in .* correct seg_map_suffix"):
        check_segmentation_data(dataset(folder), None)
    check_segmentation_data(dataset(folder), None, share=0.4)
    check_segmentation_data(dataset(folder, pipeline=()), None)  # which reads no labels


def test_images_of_a_list_may_be_missing(folder):
    (folder / "list.txt").write_text("a\nz\n")
    data = dataset(folder, ann_file="list.txt", pipeline=[{"type": "LoadImageFromFile"}, LOAD])
    with pytest.raises(GloReSegError, match=r"1 of 2 images are missing, first .*z\.jpg"):
        check_segmentation_data(data, None)


def test_an_empty_data_set_names_its_suffix(folder):
    empty = dataset(folder, img_suffix=".tif", serialize_data=False)
    with pytest.raises(ValueError, match=r"no image \*\.tif in .*images or below; .*img_suffix"):
        check_segmentation_data(empty, None)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (
            np.full((4, 4), 7, np.uint8),
            r"b\.png holds \[7\]; expected class indices 0 to 2 and 255",
        ),
        (np.zeros((4, 4, 3), np.uint8), r"b\.png is a color image of shape \(4, 4, 3\)"),
        (np.full((4, 4), 26_001, np.uint16), r"b\.png holds u?int\d+; expected 8-bit"),
    ],
)
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda data: data,
        lambda data: ConcatDataset([data, data]),
        lambda data: PerSampleSeedDataset(
            RepeatDataset(data, times=2), replace_corrupted=False, num_workers=0
        ),
    ],
)
def test_labels_of_other_classes_are_named(folder, label, message, wrapped):
    write_label(folder, label)
    data = wrapped(dataset(folder))
    with pytest.raises(ValueError, match=message):
        check_segmentation_data(data, head())


def test_label_ids_are_known_as_such(folder):
    write_label(folder, np.full((4, 4), 26, np.uint8))
    with pytest.raises(GloReSegError, match=r"holds \[26\].*look like label ids"):
        check_segmentation_data(dataset(folder), head(num_classes=19))


def test_labels_that_fit_in_another_way_pass(folder):
    write_label(folder, np.full((4, 4), 2, np.uint16))  # a byte's values in two
    check_segmentation_data(dataset(folder), head())
    write_label(folder, np.full((4, 4), 3, np.uint8))
    check_segmentation_data(dataset(folder, reduce_zero_label=True), head())


def test_what_a_transform_may_mend_is_not_judged(folder):
    write_label(folder, np.full((4, 4), 7, np.uint8))
    check_segmentation_data(dataset(folder, pipeline=[LOAD, user_transform]), head())
    checked = {"type": "mmseg.LoadCheckedAnnotations", "num_classes": 3}
    check_segmentation_data(dataset(folder, pipeline=[checked]), head())  # it says so itself
    tta = {"type": "mmseg.TestTimeAug", "transforms": [[LOAD], [{"type": "mmseg.PackSegInputs"}]]}
    with pytest.raises(ValueError, match="holds"):
        check_segmentation_data(dataset(folder, pipeline=[tta]), head())


def test_a_damaged_label_is_left_to_who_loads_it(folder):
    (folder / "labels/b.png").write_bytes(b"damaged")
    check_segmentation_data(dataset(folder), head())


class OfTheUsers(LoadAnnotations):
    """Knows what to do without a file."""


def test_files_that_a_reader_of_the_users_may_do_without(folder):
    (folder / "labels/b.png").unlink()
    data = dataset(folder, pipeline=[OfTheUsers()])
    check_segmentation_data(data, None)
    remote = {**LOAD, "backend_args": {"backend": "lmdb", "db_path": "x"}}
    check_segmentation_data(dataset(folder, pipeline=[remote]), None)
    data.data_list, data.serialize_data = [{"img_path": ["a", "b"]}], False
    check_segmentation_data(data, None)


@pytest.mark.parametrize(
    ("label", "options", "classes"),
    [
        (np.array([[7, 11]], np.uint8), {"label_map": {7: 0, 11: 1}}, 2),
        (np.array([[0, 1]], np.uint8), {}, 1),  # one output, by its sign
    ],
)
def test_labels_count_as_mmseg_reads_them(folder, label, options, classes):
    for name in "abcde":
        write_label(folder, np.tile(label, (4, 2)), name)
    data = dataset(folder)
    data.label_map = options.get("label_map")
    data.data_list = data.load_data_list()
    data.serialize_data = False
    check_segmentation_data(data, head(num_classes=classes))
    write_label(folder, np.full((4, 4), 99, np.uint8), "a")
    with pytest.raises(ValueError, match=r"a\.png .*99"):
        check_segmentation_data(data, head(num_classes=classes))
