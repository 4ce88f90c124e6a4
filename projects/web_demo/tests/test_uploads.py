import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import ConfigError
from projects.web_demo.tests.images import encode, noise, png_of_claimed_size
from projects.web_demo.uploads import MAX_PIXELS, Limits, UploadError, read_upload


def read(content, **limits):
    return read_upload(content, Limits(**limits))


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_lossless_formats_are_read_exactly(kind):
    image = noise(5, 7, 3)
    upload = read(encode(image, kind))
    np.testing.assert_array_equal(upload.image, image)
    assert upload.image.dtype == np.uint8
    assert upload.shrunk_from is None


def test_other_modes_become_rgb():
    gray = noise(4, 6)
    rgb = np.repeat(gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(encode(gray)).image, rgb)
    np.testing.assert_array_equal(read(encode(gray.astype(np.uint16) * 257)).image, rgb)
    rgba = noise(4, 6, 4)
    np.testing.assert_array_equal(read(encode(rgba)).image, rgba[..., :3])
    indexed = read(encode(Image.fromarray(rgb).quantize(256))).image
    assert np.abs(indexed.astype(int) - rgb).max() < 4
    assert read(encode(gray, "GIF")).image.shape == (4, 6, 3)


def test_exif_orientation_is_applied():
    array = np.zeros((16, 32, 3), np.uint8)
    array[:, :16] = 255  # the left half is white
    exif = Image.Exif()
    exif[274] = 6  # rotated clockwise: the upper half is white
    image = read(encode(array, "JPEG", exif=exif, quality=95)).image
    assert image.shape == (32, 16, 3)
    assert image[:15].min() > 240
    assert image[17:].max() < 15
    large = np.repeat(np.repeat(array, 128, axis=0), 128, axis=1)  # 2048 x 4096
    upload = read(encode(large, "JPEG", exif=exif))
    assert upload.image.shape[0] == pytest.approx(2 * upload.image.shape[1], abs=2)
    assert upload.image[0].min() > 240
    assert upload.shrunk_from == (4096, 2048)


def test_large_images_are_shrunk():
    upload = read(encode(np.zeros((3000, 2000, 3), np.uint8)))
    height, width = upload.image.shape[:2]
    assert 0.99 * MAX_PIXELS < height * width <= MAX_PIXELS
    assert height / width == pytest.approx(1.5, abs=0.01)
    assert upload.shrunk_from == (2000, 3000)


@pytest.mark.parametrize(
    ("content", "limits", "message"),
    [
        (b"", {}, "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", {}, "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, "not an image"),
        (encode(noise(4, 4), "TIFF"), {}, "not an image"),
        (encode(noise(64, 64, 3)), {"megapixels": 0.004}, "at most 0.004 megapixels"),
        (png_of_claimed_size(30000, 30000), {}, "at most 50 megapixels"),
        (png_of_claimed_size(9000, 9000), {}, "too many pixels"),
        (png_of_claimed_size(900, 900), {}, "corrupted"),
        (encode(noise(64, 64, 3))[:3000], {}, "corrupted"),
        (encode(noise(64, 64, 3), "JPEG")[:1500], {}, "corrupted"),
    ],
)
def test_rejects_unusable_files(content, limits, message):
    with pytest.raises(UploadError, match=message):
        read(content, **limits)


def test_corrupted_files_raise_only_upload_errors():
    rng = np.random.default_rng(0)
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
        content = np.frombuffer(encode(noise(16, 16, 3), kind), np.uint8)
        for _ in range(60):
            broken = content.copy()
            broken[rng.integers(0, len(broken), 3)] = rng.integers(0, 256, 3)
            cut = broken[: rng.integers(1, len(broken) + 1)]
            try:
                image = read(cut.tobytes(), megapixels=1).image
            except UploadError:
                continue
            assert (image.ndim, image.dtype) == (3, np.uint8)


@pytest.mark.parametrize("name", ["megabytes", "megapixels"])
def test_limits_are_above_zero(name):
    with pytest.raises(ConfigError, match=f"{name}=0"):
        Limits(**{name: 0})
