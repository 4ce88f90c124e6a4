"""Any image as (H, W, 3), RGB, uint8, as viewed, or an error that names it.

Shape legend: H, W size of the image as viewed.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import mmcv
import numpy as np
from PIL import Image, ImageOps

from glore_seg.errors import DataError

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Endings that a folder is searched for, in small letters."""

_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_HALF_WORD = 8  # bits that 16-bit images lose


def read_image(path: Path, *, backend: str = "cv2") -> np.ndarray:
    """Read a file; see :func:`read_image_bytes`.

    Raises:
        DataError: There is no such file.
        DataError: It is no whole image, or one of too many pixels.
    """
    if not path.is_file():
        raise DataError(f"image {path} does not exist; expected the path of a file")
    return read_image_bytes(path.read_bytes(), name=str(path), backend=backend)


def read_image_bytes(data: bytes, *, name: str, backend: str = "cv2") -> np.ndarray:
    """Decode a file's bytes as a config's ``LoadImageFromFile`` would, after a look at them.

    Its header is read before its pixels. Grey is repeated in three channels, alpha is dropped, 16
    bits are reduced to the high 8, EXIF's orientation is applied, an animation gives its first
    image.

    Args:
        data: The whole file.
        name: What to call it in the messages.
        backend: What decodes, see ``mmcv.imfrombytes``.

    Returns:
        (H, W, 3), RGB, uint8.

    Raises:
        DataError: They are no whole image, or one of more than ``PIL.Image.MAX_IMAGE_PIXELS``.
    """
    if not data:
        raise DataError(f"{name} is empty; expected an image: fetch it again")
    _check(data, name)
    try:
        image = mmcv.imfrombytes(data, channel_order="rgb", backend=backend)
    except Exception as error:  # decoders raise whatever they stumble over
        raise DataError(f"{name} cannot be decoded ({error}): save it anew, as PNG") from error
    if image is None:
        raise DataError(f"{name} cannot be decoded by OpenCV: save it anew, as PNG")
    return image


def to_rgb(image: np.ndarray | Image.Image, *, name: str = "the image") -> np.ndarray:
    """Bring an image from memory to (H, W, 3), RGB, uint8.

    Args:
        image: A PIL image of any mode, or an array of uint8 or uint16, (H, W), (H, W, 1), (H, W,
            3) with channels red, green, blue, or (H, W, 4) with alpha after them.
        name: What to call it in the messages.

    Raises:
        DataError: It is neither.
        DataError: It has another shape or kind of number, or no pixel.
    """
    if isinstance(image, Image.Image):
        image = _from_pil(image, name)
    if not isinstance(image, np.ndarray):
        raise DataError(
            f"{name} is a {type(image).__name__}; expected a path, an array or a PIL image"
        )
    if image.dtype == np.uint16:
        image = (image >> _HALF_WORD).astype(np.uint8)
    if image.dtype != np.uint8:
        raise DataError(
            f"{name} is an array of {image.dtype}; expected uint8 (0 to 255) or uint16: scale "
            "and convert it"
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise DataError(
            f"{name} has the shape {image.shape}; expected (height, width) or (height, width, "
            "channels) with 1, 3 or 4 channels and at least one pixel: give several images as a "
            "list"
        )
    if image.shape[2] == 1:
        image = image.repeat(3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _check(data: bytes, name: str) -> None:
    """Refuse what is no image, has too many pixels or ends too early.

    Decoders of some versions fill up what is missing with gray.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        with image:
            if image.format == "PNG":
                image.verify()  # its checksums
            else:
                # JPEG is then decoded at an eighth of its size
                image.draft("RGB", (1, 1))
                image.load()
    except _BOMBS as error:
        raise DataError(
            f"{name} has more than {Image.MAX_IMAGE_PIXELS} pixels; expected fewer: make it "
            "smaller, or raise PIL.Image.MAX_IMAGE_PIXELS"
        ) from error
    except Image.UnidentifiedImageError as error:
        raise DataError(
            f"{name} is no image (it begins with {data[:8]!r}); expected PNG, JPEG or another "
            "format that Pillow reads"
        ) from error
    except Exception as error:  # as above
        raise DataError(f"{name} is damaged or cut off ({error}): fetch it again") from error


def _from_pil(image: Image.Image, name: str) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode == "I":  # 16-bit files in some versions of Pillow
        pixels = np.asarray(image)
        if pixels.size and (pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max):
            raise DataError(f"{name} has values beyond 16 bits; expected 0 to 65535: scale it")
        return pixels.astype(np.uint16)
    if image.mode == "F":
        raise DataError(f"{name} holds floats; expected 8 or 16 bits: scale and convert it")
    return np.asarray(image.convert("RGB"))
