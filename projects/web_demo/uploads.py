"""Reads uploaded images within limits."""

import io
from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
from PIL import Image

from glore_seg.apis.inference import to_rgb
from glore_seg.errors import ConfigError, DataError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")  # none that starts another program
MAX_PIXELS = 2048 * 1024  # larger images are shrunk for the networks


@dataclass(frozen=True)
class Limits:
    """Limits of an upload, above 0; else a ConfigError is raised."""

    megabytes: float = 20.0  # of the file, in 2^20 bytes; checked by gradio
    megapixels: float = 50.0  # of the image; checked before decoding

    def __post_init__(self) -> None:
        if not min(self.megabytes, self.megapixels) > 0:
            raise ConfigError(f"{self}: expected limits above 0")


class UploadError(DataError):
    """An upload cannot be used; the text is for the visitor."""


@dataclass(frozen=True)
class Upload:
    """An uploaded image."""

    image: np.ndarray  # (H, W, 3), RGB, uint8, after EXIF's orientation, of at most MAX_PIXELS
    shrunk_from: tuple[int, int] | None = None  # original width and height if it had more


def read_upload(content: bytes, limits: Limits) -> Upload:
    """Decode the bytes of an uploaded file.

    Raises:
        UploadError: It is not an image of a known format, is corrupted, or has too many pixels.
    """
    too_large = f"The image has too many pixels; at most {limits.megapixels:g} megapixels are read."
    try:
        opened = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = opened.size
        if width * height > limits.megapixels * 1e6:
            raise UploadError(too_large)
        scale = min(1.0, sqrt(MAX_PIXELS / (width * height)))
        # JPEG can be decoded at a fraction of its size.
        opened.draft("RGB", (int(width * scale), int(height * scale)))
        image = to_rgb(opened)
    except UploadError:
        raise
    except Image.DecompressionBombError as error:
        raise UploadError(too_large) from error
    except Exception as error:  # Pillow's readers raise errors of many classes
        raise UploadError(
            "The file is corrupted or not an image. Please choose a JPEG, PNG, WebP, BMP or GIF "
            "file."
        ) from error
    if scale == 1:
        return Upload(image)
    h, w = image.shape[:2]
    scale = min(1.0, sqrt(MAX_PIXELS / (w * h)))
    size = max(1, int(w * scale)), max(1, int(h * scale))
    return Upload(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (width, height))
