import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import ConfigError
from projects.web_demo.tests.conftest import encode, noise
from projects.web_demo.uploads import MAX_PIXELS, Limits, UploadError, read_upload
from tests.png_headers import declared


def read(content, **limits):
    return read_upload(content, Limits(**limits))


def test_modes_and_formats_become_rgb():
    image = noise(5, 7, 3)
    for kind in ("PNG", "BMP"):
        np.testing.assert_array_equal(read(encode(image, kind)).image, image)
    gray = noise(4, 6)
    rgb = np.repeat(gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(encode(gray)).image, rgb)
    np.testing.assert_array_equal(read(encode(gray.astype(np.uint16) * 257)).image, rgb)
    rgba = noise(4, 6, 4)
    np.testing.assert_array_equal(read(encode(rgba)).image, rgba[..., :3])
    indexed = read(encode(Image.fromarray(rgb).quantize(256))).image
    assert np.abs(indexed.astype(int) - rgb).max() < 4


def test_large_images_are_shrunk_and_oriented():
    array = np.zeros((2048, 4096, 3), np.uint8)
    array[:, :2048] = 255  # the left half is white
    exif = Image.Exif()
    exif[274] = 6  # rotated clockwise: the upper half is white
    upload = read(encode(array, "JPEG", exif=exif))
    height, width = upload.image.shape[:2]
    assert 0.99 * MAX_PIXELS < height * width <= MAX_PIXELS
    assert height == pytest.approx(2 * width, abs=2)
    assert upload.image[: height // 2 - 9].min() > 240
    assert upload.image[height // 2 + 9 :].max() < 15
    assert upload.shrunk_from == (4096, 2048)


@pytest.mark.parametrize(
    ("content", "limits", "message"),
    [
        (b"", {}, "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", {}, "not an image"),
        (encode(noise(4, 4), "TIFF"), {}, "not an image"),
        (encode(noise(64, 64, 3)), {"megapixels": 0.004}, "at most 0.004 megapixels"),
        (declared(encode(noise(9, 9, 3)), 30000, 30000), {}, "at most 50 megapixels"),
        (declared(encode(noise(9, 9, 3)), 900, 900), {}, "corrupted"),
        (encode(noise(64, 64, 3), "JPEG")[:1500], {}, "corrupted"),
    ],
)
def test_rejects_unusable_files(content, limits, message):
    with pytest.raises(UploadError, match=message):
        read(content, **limits)


@pytest.mark.parametrize("name", ["megabytes", "megapixels"])
def test_limits_are_above_zero(name):
    with pytest.raises(ConfigError, match=f"{name}=0"):
        Limits(**{name: 0})
