import numpy as np
import pytest
from PIL import Image

from projects.web_demo.tests.images import encode, noise, png_of_claimed_size
from projects.web_demo.uploads import MAX_PIXELS, Limits, UploadError, read_upload


def read(content, **limits):
    return read_upload(content, Limits(**limits))


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_an_image_is_read_as_it_is(kind):
    image = noise(5, 7, 3)
    upload = read(encode(image, kind))
    np.testing.assert_array_equal(upload.image, image)
    assert upload.image.dtype == np.uint8
    assert upload.shrunk_from is None


def test_other_modes_become_rgb():
    gray = noise(4, 6)
    three = np.repeat(gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(encode(gray)).image, three)
    sixteen = gray.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(encode(sixteen)).image, three)
    rgba = noise(4, 6, 4)
    np.testing.assert_array_equal(read(encode(rgba)).image, rgba[..., :3])
    indexed = Image.fromarray(three).quantize(256)
    assert np.abs(read(encode(indexed)).image.astype(int) - three).max() < 4
    assert read(encode(gray, "GIF")).image.shape == (4, 6, 3)
    assert read(encode(noise(1, 1, 3))).image.shape == (1, 1, 3)


def test_a_photo_stands_upright():
    array = np.zeros((16, 32, 3), np.uint8)
    array[:, :16] = 255  # white at the left
    exif = Image.Exif()
    exif[274] = 6  # shown turned by a quarter clockwise: white at the top
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
    thin = read(encode(np.zeros((1, 60000, 3), np.uint8)))
    assert thin.image.shape == (1, 60000, 3)


def test_formats_that_start_other_programs_are_not_read():
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    for content in (eps, b"<svg xmlns='http://www.w3.org/2000/svg'/>", encode(noise(4, 4), "TIFF")):
        with pytest.raises(UploadError, match="is no image"):
            read(content)


@pytest.mark.parametrize(
    ("content", "limits", "message"),
    [
        (b"", {}, "The file is empty"),
        (b"hello", {}, "is no image. Please choose a JPEG, PNG, WebP, BMP or GIF file"),
        (encode(noise(64, 64, 3)), {"megabytes": 0.01}, "at most 0.01 MB are read"),
        (
            encode(noise(64, 64, 3)),
            {"megapixels": 0.004},
            r"too many pixels \(64 x 64\); at most 0.004 megapixels",
        ),
        (png_of_claimed_size(30000, 30000), {}, "too many pixels; at most 50 megapixels"),
        (png_of_claimed_size(9000, 9000), {}, r"too many pixels \(9000 x 9000\)"),
        (png_of_claimed_size(900, 900), {}, "corrupted or cut off"),
        (encode(noise(64, 64, 3))[:3000], {}, "corrupted or cut off"),
        (encode(noise(64, 64, 3), "JPEG")[:1500], {}, "corrupted or cut off"),
        (encode(Image.new("I;16", (4, 4))), {}, "^$"),
    ],
)
def test_what_cannot_be_used_is_refused(content, limits, message):
    if message == "^$":  # 16 bits
        assert read(content, **limits).image.shape == (4, 4, 3)
        return
    with pytest.raises(UploadError, match=message):
        read(content, **limits)


def test_no_corrupted_file_gets_through_as_a_trace():
    rng = np.random.default_rng(0)
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF"):
        whole = np.frombuffer(encode(noise(16, 16, 3), kind), np.uint8)
        for _ in range(60):
            broken = whole.copy()
            broken[rng.integers(0, len(broken), 3)] = rng.integers(0, 256, 3)
            cut = broken[: rng.integers(1, len(broken) + 1)]
            try:
                image = read(cut.tobytes(), megapixels=1).image
            except UploadError:
                continue
            assert image.ndim == 3
            assert image.dtype == np.uint8


@pytest.mark.parametrize("name", ["megabytes", "megapixels"])
def test_limits_are_above_zero(name):
    with pytest.raises(ValueError, match=f"{name} is 0; expected a limit above 0"):
        Limits(**{name: 0})
