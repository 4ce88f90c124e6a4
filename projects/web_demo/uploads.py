"""Images from strangers: read within limits, or refused with a message for people.

Shape legend: H, W sizes of an image.
"""

import io
from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from glore_seg.apis.inference import to_rgb
from glore_seg.errors import ConfigError, DataError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")  # none that starts another program
MAX_PIXELS = 2048 * 1024  # pixels from which an image is shrunk before the networks see it
_NAMES = "JPEG, PNG, WebP, BMP or GIF"


@dataclass(frozen=True)
class Limits:
    """What an upload may have.

    Args:
        megabytes: Of the file, in 2^20 bytes, above 0.
        megapixels: Of the image, in 10^6 pixels, above 0; read from its header, before anything
            is unpacked.

    Raises:
        ConfigError: A limit is not above 0.
    """

    megabytes: float = 20.0
    megapixels: float = 50.0

    def __post_init__(self) -> None:
        for name in ("megabytes", "megapixels"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected a limit above 0")

    @property
    def size(self) -> int:
        """The file's limit in bytes."""
        return int(self.megabytes * 2**20)


class UploadError(DataError):
    """An upload cannot be used; the text tells its owner why, and what to give instead."""


@dataclass(frozen=True)
class Upload:
    """An image that was read.

    Args:
        image: (H, W, 3), RGB, uint8, upright.
        shrunk_from: Width and height as uploaded, where that was more than :data:`MAX_PIXELS`.
    """

    image: np.ndarray
    shrunk_from: tuple[int, int] | None = None


def read_upload(content: bytes, limits: Limits) -> Upload:
    """Read an uploaded image: turned upright as its EXIF says, 8 bits, RGB.

    Args:
        content: Of the file.
        limits: What it may have.

    Returns:
        The image, shrunk to at most :data:`MAX_PIXELS` pixels.

    Raises:
        UploadError: It is no image of a known format, is corrupted, or is beyond a limit.
    """
    if not content:
        raise UploadError("The file is empty. Please choose an image.")
    if len(content) > limits.size:
        raise UploadError(
            f"The file has {len(content) / 2**20:.1f} MB; at most {limits.megabytes:g} MB are "
            "read. Please save the image smaller or as JPEG."
        )
    try:
        opened = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise UploadError(f"The file is no image. Please choose a {_NAMES} file.") from None
    except Image.DecompressionBombError as error:
        raise UploadError(_too_large("", limits)) from error
    except Exception as error:  # Pillow's readers raise whatever they stumble over
        raise UploadError(_corrupted()) from error
    width, height = opened.size
    if width * height > limits.megapixels * 1e6:
        raise UploadError(_too_large(f" ({width} x {height})", limits))
    scale = min(1.0, sqrt(MAX_PIXELS / (width * height)))
    try:
        # a JPEG need not be unpacked at its full size
        opened.draft("RGB", (int(width * scale), int(height * scale)))
        image = to_rgb(opened)
    except Exception as error:  # as above
        raise UploadError(_corrupted()) from error
    return Upload(_shrink(image), (width, height) if scale < 1 else None)


def _shrink(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) of at most so many pixels as the networks are to see."""
    height, width = image.shape[:2]
    scale = sqrt(MAX_PIXELS / (width * height))
    if scale >= 1:
        return image
    size = max(1, int(width * scale)), max(1, int(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _too_large(size: str, limits: Limits) -> str:
    return (
        f"The image has too many pixels{size}; at most {limits.megapixels:g} megapixels are "
        "read. Please shrink it."
    )


def _corrupted() -> str:
    return "The image is corrupted or cut off and can't be read. Please choose another file."
