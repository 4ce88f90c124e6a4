"""The answers of the page, independent of gradio.

Shape legend: H, W size of an image; N nodes of a unit; h, w size of its map.
"""

import base64
import io
import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from glore_seg.apis.inference import Segmenter, to_rgb
from glore_seg.errors import ConfigError, DataError
from glore_seg.evaluation import CITYSCAPES_CLASSES, label_id_table
from glore_seg.layers import GloReUnit
from glore_seg.visualization import (
    adjacencies,
    draw_adjacency,
    draw_node_graph,
    find_boxes,
    paint_weights,
    pick_nodes,
    weigh_differences,
)
from glore_seg.visualization.projections import full_color
from glore_seg.visualization.report import Embedded, embed_figure, embed_image

ALONE = "no other"  # the choice of no second model
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")  # none that starts another program
MAX_PIXELS = 2048 * 1024  # larger images are shrunk for the networks
_BOXES = 3
_LOGGER = logging.getLogger(__name__)


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


def read_upload(content: bytes, limits: Limits) -> tuple[np.ndarray, tuple[int, int] | None]:
    """Decode the bytes of an uploaded file.

    Returns:
        The image, (H, W, 3), RGB, uint8, after EXIF's orientation, of at most MAX_PIXELS; and the
        original width and height if it had more.

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
        return image, None
    h, w = image.shape[:2]
    scale = min(1.0, sqrt(MAX_PIXELS / (w * h)))
    size = max(1, int(w * scale)), max(1, int(h * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), (width, height)


@dataclass(frozen=True)
class Handlers:
    """The answers of the page, without state; the models have the same classes."""

    models: Mapping[str, Segmenter]
    limits: Limits = field(default_factory=Limits)

    def segment(self, content: bytes | None, name: str, other: str = ALONE) -> dict[str, Any]:
        """Segment an uploaded file, None before an upload, by one model or by two.

        Returns:
            A message, or the image as a data URI, the classes with their colors, and for each model
            its compressed label map, the shares of the classes and PNG files. For two models also
            the share of pixels on which they agree, and boxes where they differ, relative to the
            size of the image.
        """
        if content is None:
            return {"message": ""}
        models = {n: self.models[n] for n in (name, other) if n != ALONE}
        try:
            image, shrunk_from = read_upload(content, self.limits)
            maps = [model(image).labels for model in models.values()]
        except ValueError as error:
            return {"message": _explain(error)}
        first, (height, width) = self.models[name], image.shape[:2]
        note = f"{width} x {height} pixels."
        if shrunk_from:
            note = "Shrunk from {} x {} to ".format(*shrunk_from) + note
        view: dict[str, Any] = {
            "image": embed_image(image, alt="", width=width, photo=True).source,
            "width": width,
            "height": height,
            "note": note,
            "classes": [
                {"name": name, "color": [int(value) for value in color]}
                for name, color in zip(first.classes, first.palette, strict=True)
            ],
            "panes": [_pane(n, one, first.classes) for n, one in zip(models, maps, strict=True)],
        }
        if len(maps) > 1:
            view["agreement"] = float((maps[0] == maps[1]).mean())
            view["boxes"] = [
                [box.left / width, box.top / height, box.width / width, box.height / height]
                for box in find_boxes(weigh_differences(maps), _BOXES)
            ]
        return view

    def maps(
        self, content: bytes | None, name: str, unit: str | None, number: int, colors: str
    ) -> str:
        """Show the projection maps of a unit's most distinct nodes on an upload, as HTML (Fig. 7).

        ``number`` is that of the nodes, ``colors`` are ``"red-green"`` or ``"orange-blue"``.
        """
        model, units = self.models[name], self._units(name)
        if unit not in units:
            return _render("maps", f"{name} is an ONNX file or has no GloRe unit.")
        if content is None:
            return _render("maps", "Choose an image first.")
        try:
            image, _ = read_upload(content, self.limits)
            weights = model.predictor.project(image, units[unit])  # (N, h, w)
        except ValueError as error:
            return _render("maps", _explain(error))
        figures = []
        for node in pick_nodes([weights], number):
            full = full_color([weights], node)
            painted = paint_weights(image, weights[node], full=full, colors=colors)
            alt = f"Projection weights of node {node} over the image"
            caption = f"node {node}, full color at ±{full:#.2g}"
            figures.append(embed_image(painted, alt=alt, caption=caption, photo=True))
        positive, negative = colors.split("-")
        note = (
            f"Each map shows where one of the unit's {len(weights)} nodes gathers features, the "
            f"most distinct first: {positive} is a positive weight, {negative} a negative one, "
            "brightness is the magnitude."
        )
        return _render("maps", note, figures)

    def graphs(self, name: str, unit: str | None) -> str:
        """Show the adjacency of each graph convolution of a unit, as HTML."""
        units = self._units(name)
        if unit not in units:
            return _render("graphs", f"{name} is an ONNX file or has no GloRe unit.")
        figures = []
        for number, matrix in enumerate(adjacencies(units[unit]), 1):
            for figure, what in (
                (draw_node_graph(matrix), "the strongest edges"),
                (draw_adjacency(matrix), "the adjacency matrix"),
            ):
                caption = f"Graph convolution {number}: {what}"
                figures.append(embed_figure(figure, alt=caption, caption=caption))
        note = (
            "The graph is learned in training and the same for every image. In the paper's "
            "Z = ((I - A) V) W an entry of A is the share of node m's state that is subtracted "
            "from node n's: orange subtracts, blue adds."
        )
        return _render("graphs", note, figures)

    def units(self, name: str) -> tuple[list[str], str | None]:
        """Units of a model, and the one to show first: the last."""
        units = [*self._units(name)]
        return units, units[-1] if units else None

    def _units(self, name: str) -> dict[str | None, GloReUnit]:
        model = self.models[name].model  # None for ONNX
        return {
            path: module
            for path, module in (model.named_modules() if model else ())
            if isinstance(module, GloReUnit) and not path.startswith("auxiliary_head")
        }


def load_page_models(
    checkpoints: Sequence[str | Path],
    configs: Sequence[str] = (),
    *,
    device: torch.device | str | None = None,
) -> dict[str, Segmenter]:
    """Load networks with the same classes, by the shortest unique ends of their paths.

    ``configs`` are none if each checkpoint has its own in or beside it, one for all, or one for
    each; ``device`` is by default the first GPU, else the CPU.

    Raises:
        ConfigError: A checkpoint is repeated, the number of configs is another, the classes
            differ, or a network takes other images than RGB and gray ones.
    """
    files = [Path(path).resolve() for path in checkpoints]
    if len({*files}) < len(files):
        raise ConfigError(f"checkpoints are {', '.join(map(str, checkpoints))}; expected each once")
    bare = [file.with_suffix("") for file in files]
    parts = [file.parts for file in (files if len({*bare}) < len(bare) else bare)]
    length = next(n for n in count(1) if len({each[-n:] for each in parts}) == len(parts))
    names = ["/".join(each[-length:]) for each in parts]
    if len(configs) not in (0, 1, len(checkpoints)):
        raise ConfigError(
            f"{len(configs)} configs for {len(checkpoints)} checkpoints; expected none, one for "
            "all, or one for each"
        )
    each = [*configs] * len(checkpoints) if len(configs) == 1 else configs or checkpoints
    models = {
        name: Segmenter(source, checkpoint=path if configs else None, device=device)
        for name, source, path in zip(names, each, checkpoints, strict=True)
    }
    for model in models.values():
        model.predictor.check_arrays()
    if len({model.classes for model in models.values()}) > 1:
        known = (f"{name}: {', '.join(model.classes)}" for name, model in models.items())
        raise ConfigError(f"the models have different classes: {'; '.join(known)}")
    return models


def _pane(name: str, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    counts = np.bincount(labels.ravel(), minlength=len(classes))
    files = [{"name": "trainIds", "text": "train ids", "source": _png(labels)}]
    if set(classes) <= set(CITYSCAPES_CLASSES):
        ids = _png(label_id_table(classes)[labels])
        files.append({"name": "labelIds", "text": "Cityscapes label ids", "source": ids})
    return {
        "title": name,
        "labels": base64.b64encode(zlib.compress(labels.tobytes())).decode(),
        "shares": (counts[: len(classes)] / labels.size).tolist(),
        "files": files,
    }


def _png(labels: np.ndarray) -> str:
    _, stored = cv2.imencode(".png", labels)
    return f"data:image/png;base64,{base64.b64encode(stored.tobytes()).decode()}"


def _explain(error: ValueError) -> str:
    if isinstance(error, UploadError):
        return str(error)
    _LOGGER.warning("%s", error, exc_info=error)
    return "The network cannot process this image; see the log of the server. Try another one."


def _render(kind: str, note: str, figures: Sequence[Embedded] = ()) -> str:
    loader = PackageLoader("projects.web_demo", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return environment.get_template("figures.html").render(kind=kind, note=note, figures=figures)
