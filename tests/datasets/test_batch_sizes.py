"""Batches of a validation whose images have different sizes."""

import numpy as np
import pytest
from mmseg.datasets import BaseSegDataset
from PIL import Image

from glore_seg.datasets.batch_sizes import check_batch_sizes
from glore_seg.errors import ConfigError

SIZES = ((8, 8), (8, 8), (8, 8), (8, 8), (8, 12), (8, 12))  # height and width


@pytest.fixture
def load(tmp_path):
    for index, size in enumerate(SIZES):
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(tmp_path / f"{index}.png")

    def load(keep_ratio):
        steps = [
            {"type": "LoadImageFromFile"},
            {"type": "mmseg.Resize", "scale": (24, 16), "keep_ratio": keep_ratio},
            {"type": "mmseg.PackSegInputs"},
        ]
        return BaseSegDataset(
            data_prefix={"img_path": str(tmp_path)},
            img_suffix=".png",
            test_mode=True,
            metainfo={"classes": ("a",)},
            pipeline=steps,
        )

    return load


def test_a_batch_of_two_sizes_is_named(load, tmp_path):
    with pytest.raises(ConfigError, match="batch_size is 3") as error:
        check_batch_sizes(load(keep_ratio=True), 3)
    for value in (tmp_path / "3.png", tmp_path / "4.png", (16, 16), (16, 24)):
        assert str(value) in str(error.value)


@pytest.mark.parametrize(("batch_size", "world_size"), [(1, 1), (2, 1), (4, 1), (1, 2), (2, 2)])
def test_batches_of_one_size(load, batch_size, world_size):
    """The third process of three has images 2 and 5, of two sizes."""
    check_batch_sizes(load(keep_ratio=True), batch_size, world_size=world_size)
    check_batch_sizes(load(keep_ratio=False), 6)
    with pytest.raises(ConfigError):
        check_batch_sizes(load(keep_ratio=True), 2, world_size=3)


def test_images_that_cannot_be_read_are_left_to_the_loader(load, tmp_path):
    (tmp_path / "2.png").write_bytes(b"no image")
    check_batch_sizes(load(keep_ratio=True), 3)
