"""Read and write images: one decoder, which looks at the header before it decodes pixels.

OpenCV allocates whatever a header declares, gigabytes for a file of a few bytes. Pillow reads the
header first and refuses more than twice ``PIL.Image.MAX_IMAGE_PIXELS``.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import cv2
import mmcv
import mmengine.fileio as fileio
import numpy as np
from PIL import Image

from glore_seg.errors import CorruptedFileError
from glore_seg.utils.files import atomic_write

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Suffixes that a folder is searched for, in lower case."""


class ImageHeader(NamedTuple):
    """Height and width, and Pillow's mode (``"RGB"``, ``"P"``, ...) and format (``"PNG"``, ...)."""

    shape: tuple[int, int]
    mode: str
    format: str


def read_header(source: Path | bytes, *, name: str | None = None) -> ImageHeader:
    """Read the header of an image, given by its path or its bytes.

    Raises:
        CorruptedFileError: It is not an image that Pillow knows, or declares too many pixels; the
            text calls it ``name``.
    """
    name = name or (str(source) if isinstance(source, Path) else "the image")
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            return ImageHeader((image.height, image.width), image.mode, image.format or "")
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise CorruptedFileError(
            f"{name} declares more than {most} pixels: scale it down, or raise "
            "PIL.Image.MAX_IMAGE_PIXELS"
        ) from error
    except Exception as error:  # Pillow's readers raise errors of many classes
        raise CorruptedFileError(
            f"{name} cannot be read as an image ({error}): copy it again"
        ) from error


def decode_image(
    data: bytes,
    *,
    name: str,
    as_stored: bool = False,
    channel_order: str = "rgb",
    backend: str = "cv2",
    check_complete: bool = False,
) -> np.ndarray:
    """Decode the bytes of an image file, which messages call ``name``: (H, W, 3), uint8.

    ``as_stored`` keeps channels and bits: also (H, W), (H, W, 4) or uint16. Otherwise gray is
    repeated, alpha is dropped, 16 bits become 8, and EXIF's orientation is applied. ``backend`` is
    one of ``mmcv.imfrombytes``. ``check_complete`` refuses a truncated file, for whose missing
    pixels some decoders return gray.

    Raises:
        CorruptedFileError: The bytes are not an image, are truncated, or declare too many pixels.
    """
    read_header(data, name=name)
    try:
        if check_complete:
            _check_complete(data)
        flag = "unchanged" if as_stored else "color"
        image = mmcv.imfrombytes(data, flag=flag, channel_order="bgr", backend=backend)
    except Exception as error:  # decoders raise errors of many classes
        raise CorruptedFileError(
            f"{name} cannot be decoded ({error}): it is corrupted, copy it again"
        ) from error
    if image is None:
        raise CorruptedFileError(f"{name} cannot be decoded: it is corrupted, copy it again")
    if channel_order == "rgb" and image.ndim == 3 and image.shape[2] in (3, 4):
        code = cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        return cv2.cvtColor(image, code)
    return image


def read_image(
    path: str | Path, *, backend: str = "cv2", check_complete: bool = False
) -> np.ndarray:
    """Read an image file as (H, W, 3), RGB, uint8; arguments and errors as :func:`decode_image`."""
    data = read_bytes(path)
    return decode_image(data, name=str(path), backend=backend, check_complete=check_complete)


def to_displayable(image: np.ndarray) -> np.ndarray:
    """(H, W, 3), RGB, uint8, to look at, of what a pipeline loads: (H, W) or (H, W, C), BGR first.

    Gray is repeated, further channels are left out, and other types are scaled from their least to
    their greatest value.
    """
    image = np.atleast_3d(image)
    image = image[..., 2::-1] if image.shape[2] > 2 else image[..., :1].repeat(3, axis=2)
    if image.dtype != np.uint8:
        image = image.astype(np.float64) - image.min()
        image = (255 / max(float(image.max()), 1e-9) * image).round().astype(np.uint8)
    return np.ascontiguousarray(image)


def read_label_map(path: str | Path, *, fix: str = "correct the path") -> np.ndarray:
    """Read stored values, (H, W) or (H, W, 3) in RGB, uint8 or uint16.

    ``fix`` says what to do about a missing file.

    Raises:
        CorruptedFileError: It is missing or cannot be decoded.
    """
    return decode_image(read_bytes(path, fix=fix), name=str(path), as_stored=True)


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W) or (H, W, 3) in RGB, uint8 or uint16, atomically.

    Raises:
        OutputError: The disk is full or read-only.
    """
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    compression = 6 if image.ndim == 2 else 1  # label maps shrink a lot, photos hardly
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, compression])
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.tobytes())  # cv2.imwrite does not notice a full disk


def read_bytes(
    path: str | Path, *, backend_args: dict | None = None, fix: str = "correct the path"
) -> bytes:
    """Read a file by mmengine's storage backends; by default from the local disk.

    Raises:
        CorruptedFileError: It is missing or cannot be read.
    """
    try:
        return fileio.get(path, backend_args=backend_args)
    except FileNotFoundError as error:
        raise CorruptedFileError(f"{path} is missing: {fix}") from error
    except OSError as error:
        raise CorruptedFileError(f"{path} cannot be read ({error}): copy it again") from error


def _check_complete(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "PNG":
            image.verify()  # compares checksums
        else:
            image.draft("RGB", (1, 1))  # decodes a JPEG at an eighth of its size
            image.load()
