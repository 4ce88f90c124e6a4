"""Images of an HTML page as data URIs.

Shape legend: H, W size of an image.
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
        alt: Text for those who cannot see it.
        caption: Text below it.
    """

    source: str
    alt: str
    caption: str = ""


def embed_image(
    image: np.ndarray, *, alt: str, caption: str = "", width: int = 640, photo: bool = False
) -> Embedded:
    """Embed an image.

    Args:
        image: (H, W, 3), RGB, uint8.
        alt: Text for those who cannot see it.
        caption: Text below it.
        width: Wider images are shrunk to this many pixels.
        photo: Whether to store it as JPEG. Otherwise it is a PNG, shrunk without mixing colors.
    """
    if image.shape[1] > width:
        how = cv2.INTER_AREA if photo else cv2.INTER_NEAREST
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=how)
    ending, options = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]) if photo else (".png", [])
    _, stored = cv2.imencode(ending, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return Embedded(_uri(stored.tobytes(), "jpeg" if photo else "png"), alt, caption)


def embed_figure(figure: Figure, *, alt: str, caption: str = "") -> Embedded:
    """Embed a matplotlib figure as SVG, with text as outlines."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Embedded(_uri(buffer.getvalue(), "svg+xml"), alt, caption)


def _uri(stored: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(stored).decode()}"
