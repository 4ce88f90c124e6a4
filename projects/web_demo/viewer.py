"""Data of the viewer: an image and label maps as JSON.

Shape legend: H, W size of an image.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glore_seg.evaluation import CITYSCAPES_CLASSES, label_id_table
from glore_seg.visualization import find_boxes, weigh_differences
from glore_seg.visualization.report import embed_image

_BOXES = 3
_FOLDER = Path(__file__).parent / "templates"


def viewer_parts() -> dict[str, str]:
    """HTML, CSS and JavaScript of the viewer, as arguments of ``gradio.HTML``."""
    return {
        "html_template": (_FOLDER / "viewer.html").read_text(encoding="utf-8"),
        "css_template": (_FOLDER / "viewer.css").read_text(encoding="utf-8"),
        "js_on_load": (_FOLDER / "viewer.js").read_text(encoding="utf-8"),
    }


def show_result(
    image: np.ndarray,
    labels: Mapping[str, np.ndarray],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    *,
    note: str = "",
) -> dict[str, Any]:
    """Data to show one or two label maps of an image.

    Args:
        image: (H, W, 3), RGB, uint8.
        labels: Label map (H, W) of train ids, uint8, by the name of its model.
        classes: Names of the classes.
        palette: RGB color of each class, 0 to 255.
        note: Text about the image.

    Returns:
        The image as a data URI, the classes with their colors, and for each model its compressed
        label map, the shares of the classes and PNG files. For two models also the share of pixels
        on which they agree, and boxes where they differ, relative to the size of the image.
    """
    height, width = image.shape[:2]
    view: dict[str, Any] = {
        "image": embed_image(image, alt="", width=width, photo=True).source,
        "width": width,
        "height": height,
        "note": note,
        "classes": [
            {"name": name, "color": [int(value) for value in color]}
            for name, color in zip(classes, palette, strict=True)
        ],
        "panes": [_pane(name, one, classes) for name, one in labels.items()],
    }
    if len(labels) > 1:
        maps = [*labels.values()]
        view["agreement"] = float((maps[0] == maps[1]).mean())
        view["boxes"] = [
            [box.left / width, box.top / height, box.width / width, box.height / height]
            for box in find_boxes(weigh_differences(maps), _BOXES)
        ]
    return view


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
