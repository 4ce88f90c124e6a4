"""Images of all kinds, and files that are none."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from glore_seg.apis.inference import read_image, read_image_bytes, to_rgb
from glore_seg.errors import GloReSegError


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def read(data):
    return read_image_bytes(data, name="street.png")


def test_color_grey_and_alpha(image):
    assert np.array_equal(read(encoded(image)), image)
    gray = image[..., 0]
    alpha = np.dstack([image, gray])
    for given, expected in ((gray, np.dstack([gray] * 3)), (alpha, image)):
        for found in (read(encoded(given)), to_rgb(given), to_rgb(Image.fromarray(given))):
            assert np.array_equal(found, expected)
    assert np.array_equal(to_rgb(gray[..., None]), np.dstack([gray] * 3))
    palette = Image.fromarray(image).quantize(16)
    assert np.array_equal(read(encoded(palette)), np.array(palette.convert("RGB")))
    assert np.array_equal(to_rgb(palette), np.array(palette.convert("RGB")))


def test_16_bits_keep_their_high_byte(image):
    deep = image.astype(np.uint16) * 256 + 77
    for given, expected in ((deep, image), (deep[..., 0], np.dstack([image[..., 0]] * 3))):
        stored = given[..., ::-1] if given.ndim == 3 else given
        assert np.array_equal(read(cv2.imencode(".png", stored)[1].tobytes()), expected)
        assert np.array_equal(to_rgb(given), expected)
    expected = np.dstack([image[..., 0]] * 3)
    assert np.array_equal(to_rgb(Image.fromarray(deep[..., 0])), expected)
    assert np.array_equal(to_rgb(Image.fromarray(deep[..., 0].astype(np.int32))), expected)


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_images_come_as_they_are_viewed(image, kind, orientation):
    opened = Image.fromarray(image)
    exif = opened.getexif()
    exif[0x0112] = orientation
    data = encoded(opened, kind, exif=exif)
    viewed = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert viewed.shape == ((56, 40, 3) if orientation > 4 else (40, 56, 3))
    assert np.abs(read(data).astype(int) - viewed).max() <= 2  # of JPEG decoders
    assert np.array_equal(to_rgb(Image.open(io.BytesIO(data))), viewed)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_cut_off_files_are_refused(kind):
    data = encoded(np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8), kind)
    assert read(data).shape == (60, 80, 3)
    for length in (len(data) * 2 // 3, 40):
        with pytest.raises(ValueError, match=r"street\.png (is damaged or cut off|is no image)"):
            read(data[:length])


def test_damage_within_is_refused(image):
    data = bytearray(encoded(image))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ValueError, match=r"street\.png is damaged or cut off"):
        read(bytes(data))


def test_what_is_no_image(tmp_path):
    with pytest.raises(ValueError, match=r"street\.png is empty; expected an image"):
        read(b"")
    with pytest.raises(ValueError, match=r"is no image \(it begins with b'just tex'\)"):
        read(b"just text")
    with pytest.raises(GloReSegError, match=r"image .*none\.png does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(GloReSegError, match="does not exist; expected the path of a file"):
        read_image(tmp_path)


def bomb(width, height):
    """A PNG whose header claims more pixels than anyone has."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(9)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_000, 60_000])  # Pillow warns of the first alone
def test_too_many_pixels_are_refused_before_they_are_decoded(side):
    with pytest.raises(ValueError, match=r"street\.png has more than 89478485 pixels; .*smaller"):
        read(bomb(side, side))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.zeros((4, 5, 3), np.float32), ValueError, "array of float32; expected uint8"),
        (np.zeros((4, 5, 2), np.uint8), ValueError, r"the shape \(4, 5, 2\); expected"),
        (np.zeros((2, 4, 5, 3), np.uint8), ValueError, "give several images as a list"),
        (np.zeros((0, 5, 3), np.uint8), ValueError, "at least one pixel"),
        (Image.new("F", (3, 3)), ValueError, "holds floats; expected 8 or 16 bits"),
        (Image.fromarray(np.full((2, 2), 70_000, np.int32)), ValueError, "beyond 16 bits"),
        (7, TypeError, "the image is a int; expected a path, an array or a PIL image"),
    ],
)
def test_arrays_that_are_no_images(given, error, message):
    with pytest.raises(error, match=message):
        to_rgb(given)
