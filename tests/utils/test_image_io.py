"""Images are decoded with their stored values, and refused by their header."""

import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import DataError
from glore_seg.utils.image_io import (
    decode_image,
    read_header,
    read_image,
    read_label_map,
    to_displayable,
    write_png,
)
from tests.png_headers import declared


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_reads_what_was_written(tmp_path, dtype, channels):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7, *channels), dtype)
    write_png(tmp_path / "new/a.png", image)
    np.testing.assert_array_equal(read_label_map(tmp_path / "new/a.png"), image)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_reads_any_image_as_rgb(tmp_path):
    colors = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for mode in ("RGBA", "RGB", "L", "P"):
        Image.fromarray(colors).convert(mode).save(tmp_path / "a.png")
        expected = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)
    data = (tmp_path / "a.png").read_bytes()
    bgr = decode_image(data, name="a", channel_order="bgr")
    np.testing.assert_array_equal(bgr[..., ::-1], expected)
    assert read_header(data) == ((2, 3), "P", "PNG")


@pytest.mark.parametrize("backend", ["cv2", "pillow"])
def test_rejects_huge_headers_and_other_files(tmp_path, backend):
    path = tmp_path / "a.png"
    with pytest.raises(DataError, match=r"a\.png is missing: make it"):
        read_label_map(path, fix="make it")
    write_png(path, np.zeros((2, 3), np.uint8))
    path.write_bytes(declared(path.read_bytes(), 60_000, 60_000))
    with pytest.raises(DataError, match=r"a\.png declares more than \d+ pixels"):
        read_image(path, backend=backend)
    for content in (b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
            read_image(path, backend=backend)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_rejects_truncated_files(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    read_image(path, check_complete=True)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DataError, match=rf"a\.{suffix} cannot be decoded"):
        read_image(path, check_complete=True)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (3,), (4,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_anything_can_be_displayed(shape, dtype):
    stored = np.arange(256, dtype=dtype).reshape(16, 16)
    stored = np.broadcast_to(stored[..., None], (16, 16, *shape)) if shape else stored
    shown = to_displayable(stored)
    assert (shown.shape, shown.dtype) == ((16, 16, 3), np.uint8)
    assert (shown.min(), shown.max()) == (0, 255)


def test_colors_of_a_displayed_image_are_rgb():
    assert to_displayable(np.array([[[1, 2, 3, 9]]], np.uint8)).tolist() == [[[3, 2, 1]]]
