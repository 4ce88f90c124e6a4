"""Labels of the first samples: which are refused, and what the check leaves as it was."""

import random

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmseg.datasets import BaseSegDataset
from torch import nn

from glore_seg.engine.data_checks import check_labels
from glore_seg.errors import DataError

IMAGE = {"type": "LoadImageFromFile"}
LABEL = {"type": "mmseg.LoadAnnotations"}
PACK = {"type": "mmseg.PackSegInputs"}


@pytest.fixture
def folder(tmp_path):
    """Five images with labels of three classes and ignored pixels."""
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    label = np.array([[0, 1, 2, 255]] * 4, np.uint8)
    for name in "abcde":
        cv2.imwrite(str(tmp_path / f"images/{name}.jpg"), np.zeros((4, 4, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"labels/{name}.png"), label)
    return tmp_path


def dataset(folder, *, pipeline=(IMAGE, LABEL, PACK), **options):
    return BaseSegDataset(
        data_root=str(folder),
        data_prefix={"img_path": "images", "seg_map_path": "labels"},
        metainfo={"classes": ("crop", "weed", "soil")},
        pipeline=list(pipeline),
        **options,
    )


def head(num_classes=3, ignore_index=255):
    head = nn.Module()
    head.num_classes, head.ignore_index = num_classes, ignore_index
    return head


def write_label(folder, label, name="b"):
    cv2.imwrite(str(folder / f"labels/{name}.png"), label)


def random_numbers():
    return random.random(), np.random.rand(), torch.rand(()).item()


def seed():
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)


def draws(results):
    random_numbers()
    return results


def test_labels_that_fit_and_the_random_numbers_after_it(folder):
    seed()
    expected = random_numbers()
    seed()
    check_labels(dataset(folder, pipeline=[IMAGE, LABEL, draws, PACK]), head())
    assert random_numbers() == expected


@pytest.mark.parametrize("anything", [None, [1, 2], [{}]])
def test_other_datasets_pass(anything):
    check_labels(anything, head())
    check_labels(anything, None)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (np.full((4, 4), 7, np.uint8), r"\[7\]; expected 0 to 2 and 255"),
        (np.full((4, 4), 26_001, np.uint16), r"\[145\]"),  # an instance id in a byte
        (np.zeros((4, 4, 3), np.uint8), "one channel of class indices, not a color mask"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: data,
        lambda data: ConcatDataset([data, data]),
        lambda data: RepeatDataset(data, times=2),
    ],
)
@pytest.mark.filterwarnings("ignore:Please pay attention")
def test_other_labels_are_refused(folder, label, value, wrap):
    write_label(folder, label)
    with pytest.raises(DataError, match=rf"b\.png gives .*{value}"):
        check_labels(wrap(dataset(folder)), head())


def test_label_ids_for_train_ids(folder):
    write_label(folder, np.full((4, 4), 26, np.uint8))
    with pytest.raises(DataError, match=r"\[26\]; expected 0 to 18 and 255.*label ids"):
        check_labels(dataset(folder), head(num_classes=19))


def test_an_empty_dataset(folder):
    with pytest.raises(DataError, match=r"no samples.*img_suffix"):
        check_labels(dataset(folder, img_suffix=".tif", serialize_data=False), head())


def test_a_corrupted_label_is_left_to_the_loader(folder):
    (folder / "labels/b.png").write_bytes(b"corrupted")
    check_labels(dataset(folder), head())


def remapped(results):
    results["gt_seg_map"][results["gt_seg_map"] == 7] = 1
    return results


def test_labels_count_as_the_pipeline_gives_them(folder):
    write_label(folder, np.full((4, 4), 3, np.uint8))
    check_labels(dataset(folder, reduce_zero_label=True), head())
    write_label(folder, np.full((4, 4), 7, np.uint8))
    check_labels(dataset(folder, pipeline=[IMAGE, LABEL, remapped, PACK]), head())
    for name in "abcde":
        write_label(folder, np.array([[0, 1]] * 4, np.uint8), name)
    check_labels(dataset(folder), head(num_classes=1))  # one output, by its sign


def test_labels_of_test_time_augmentation(folder):
    write_label(folder, np.full((4, 4), 7, np.uint8))
    flips = [{"type": "mmseg.RandomFlip", "prob": prob} for prob in (0.0, 1.0)]
    tta = {"type": "mmseg.TestTimeAug", "transforms": [flips, [LABEL], [PACK]]}
    with pytest.raises(DataError, match=r"\[7\]"):
        check_labels(dataset(folder, pipeline=[IMAGE, tta]), head())
