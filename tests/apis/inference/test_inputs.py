"""Images in memory of all kinds."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from glore_seg.apis.inference import to_rgb
from glore_seg.errors import DataError


def test_color_gray_and_alpha(image):
    gray = image[..., 0]
    alpha = np.dstack([image, gray])
    for given, expected in ((image, image), (gray, np.dstack([gray] * 3)), (alpha, image)):
        for found in (to_rgb(given), to_rgb(Image.fromarray(given))):
            assert np.array_equal(found, expected)
    assert np.array_equal(to_rgb(gray[..., None]), np.dstack([gray] * 3))
    palette = Image.fromarray(image).quantize(16)
    assert np.array_equal(to_rgb(palette), np.array(palette.convert("RGB")))


def test_16_bits_keep_their_high_byte(image):
    deep = image.astype(np.uint16) * 256 + 77
    assert np.array_equal(to_rgb(deep), image)
    expected = np.dstack([image[..., 0]] * 3)
    for given in (deep[..., 0], Image.fromarray(deep[..., 0])):
        assert np.array_equal(to_rgb(given), expected)
    assert np.array_equal(to_rgb(Image.fromarray(deep[..., 0].astype(np.int32))), expected)


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_orientation_is_applied(image, orientation):
    opened = Image.fromarray(image)
    exif = opened.getexif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    opened.save(file, "PNG", exif=exif)
    stored = Image.open(file)
    viewed = np.array(ImageOps.exif_transpose(stored))
    assert viewed.shape == ((56, 40, 3) if orientation > 4 else (40, 56, 3))
    assert np.array_equal(to_rgb(stored), viewed)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (np.zeros((4, 5, 3), np.float32), "float32"),
        (np.zeros((4, 5, 2), np.uint8), r"\(4, 5, 2\)"),
        (np.zeros((2, 4, 5, 3), np.uint8), r"\(2, 4, 5, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), r"\(0, 5, 3\)"),
        (Image.new("F", (3, 3)), "float32"),
        (Image.fromarray(np.full((2, 2), 70_000, np.int32)), "int32"),
        (7, "int"),
    ],
)
def test_rejects_what_is_not_an_image(given, value):
    with pytest.raises(DataError, match=value):
        to_rgb(given)
