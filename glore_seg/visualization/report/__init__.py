"""The report of a training as one self-contained HTML page.

Shape legend: H, W size of an image.
"""

import base64
import io
from dataclasses import dataclass
from math import isnan
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

_JPEG_QUALITY = 88


@dataclass(frozen=True)
class Embedded:
    """An image of a page: its data URI, a text for those who cannot see it, and one below it."""

    source: str
    alt: str
    caption: str = ""


def embed_image(
    image: np.ndarray, *, alt: str, caption: str = "", width: int = 640, photo: bool = False
) -> Embedded:
    """Embed an image, (H, W, 3), RGB, uint8, of at most ``width`` pixels, else shrunk.

    A ``photo`` is stored as JPEG, other images as PNG, shrunk without mixing colors.
    """
    if image.shape[1] > width:
        how = cv2.INTER_AREA if photo else cv2.INTER_NEAREST
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=how)
    kind, options = ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]) if photo else ("png", [])
    _, stored = cv2.imencode(f".{kind}", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return Embedded(_uri(stored.tobytes(), kind), alt, caption)


def embed_figure(figure: Figure, *, alt: str, caption: str = "") -> Embedded:
    """Embed a matplotlib figure as SVG, with text as outlines."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Embedded(_uri(buffer.getvalue(), "svg+xml"), alt, caption)


def _uri(stored: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(stored).decode()}"


def render(**report: Any) -> str:
    """Render a report as one HTML page with embedded images and styles; all texts are escaped.

    Its parts, whose names the template has, are texts, :class:`Embedded` images in rows, and rows
    of a name with its values or its RGB color; scores are in percent and may be ``nan``. The first
    score of a class is drawn as a bar.

    Raises:
        jinja2.UndefinedError: A part is missing.
    """
    environment = Environment(
        loader=PackageLoader("glore_seg.visualization.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: "-" if isnan(value) else f"{value:.1f}"
    environment.filters["rgb"] = lambda color: "rgb({}, {}, {})".format(*map(int, color))
    return environment.get_template("report.html").render(report=report)
