"""Images inside a page, as data URIs.

Shape legend: H, W sizes of an image.
"""

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.figure import Figure

_JPEG_QUALITY = 88


@dataclass(frozen=True)
class Embedded:
    """An image of a page.

    Args:
        source: Its data URI.
        alt: What it shows, for those who cannot see it.
        caption: What to print under it.
    """

    source: str
    alt: str
    caption: str = ""


def embed_image(
    image: np.ndarray, *, alt: str, caption: str = "", width: int = 640, photo: bool = False
) -> Embedded:
    """Turn an array into an image of a page.

    Args:
        image: (H, W, 3), RGB, uint8.
        alt: What it shows.
        caption: What to print under it.
        width: Wider images are shrunk to this many pixels.
        photo: Store as JPEG; otherwise as PNG, and shrink without mixing colors.
    """
    height = round(image.shape[0] * width / image.shape[1])
    if image.shape[1] > width:
        how = cv2.INTER_AREA if photo else cv2.INTER_NEAREST
        image = cv2.resize(image, (width, max(1, height)), interpolation=how)
    ending, options = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]) if photo else (".png", [])
    _, stored = cv2.imencode(ending, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return Embedded(_uri(stored.tobytes(), "jpeg" if photo else "png"), alt, caption)


def embed_figure(figure: Figure, *, alt: str, caption: str = "") -> Embedded:
    """Turn a matplotlib figure into an image of a page, as SVG with letters as outlines."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Embedded(_uri(buffer.getvalue(), "svg+xml"), alt, caption)


def embed_png(stored: bytes, *, alt: str, caption: str = "") -> Embedded:
    """Turn a PNG file's content into an image of a page."""
    return Embedded(_uri(stored, "png"), alt, caption)


def _uri(stored: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(stored).decode()}"
