"""What the viewer of the page gets: an image and label maps, as JSON.

Shape legend: H, W sizes of an image.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glore_seg.evaluation.cityscapes_scores import CITYSCAPES_CLASSES
from glore_seg.evaluation.label_ids import label_id_table
from glore_seg.visualization import find_boxes, weigh_differences
from glore_seg.visualization.report.embedding import embed_image

_BOXES = 3
_FOLDER = Path(__file__).parent / "templates"


def viewer_parts() -> dict[str, str]:
    """HTML, style and script of the viewer, as ``gradio.HTML`` takes them."""
    return {
        "html_template": (_FOLDER / "viewer.html").read_text(encoding="utf-8"),
        "css_template": (_FOLDER / "viewer.css").read_text(encoding="utf-8"),
        "js_on_load": (_FOLDER / "viewer.js").read_text(encoding="utf-8"),
    }


def show_message(text: str) -> dict[str, Any]:
    """What the viewer gets in place of a result."""
    return {"message": text}


def show_result(
    image: np.ndarray,
    labels: Mapping[str, np.ndarray],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    *,
    note: str = "",
) -> dict[str, Any]:
    """What the viewer gets to show one or two label maps of an image.

    Args:
        image: (H, W, 3), RGB, uint8.
        labels: Label map (H, W) of train ids, uint8, of each model by its name.
        classes: Names of the classes.
        palette: RGB color of each class, 0 to 255.
        note: What to say about the image.

    Returns:
        JSON: the image as a data URI, classes with their colors, and for each model the deflated
        label map, its classes' shares and its PNG files; for two models the share of pixels on
        which they agree and boxes, in shares of the image's sides, where they differ most.
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
        boxes = find_boxes(weigh_differences(maps), _BOXES)
        view["agreement"] = float((maps[0] == maps[1]).mean())
        view["boxes"] = [
            [box.left / width, box.top / height, box.width / width, box.height / height]
            for box in boxes
        ]
    return view


def _pane(name: str, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    counts = np.bincount(labels.ravel(), minlength=len(classes))
    files = [{"name": "trainIds", "text": "train ids", "source": _png(labels)}]
    if set(classes) <= set(CITYSCAPES_CLASSES):
        table = label_id_table(classes)
        files.append(
            {"name": "labelIds", "text": "Cityscapes label ids", "source": _png(table[labels])}
        )
    return {
        "title": name,
        "labels": base64.b64encode(zlib.compress(labels.tobytes())).decode(),
        "shares": (counts[: len(classes)] / labels.size).tolist(),
        "files": files,
    }


def _png(labels: np.ndarray) -> str:
    _, stored = cv2.imencode(".png", labels)
    return f"data:image/png;base64,{base64.b64encode(stored.tobytes()).decode()}"
