"""From a scene to its image, its polygons and its label maps.

The labels are drawn by cityscapesScripts itself from the polygons that are written beside them.
"""

from __future__ import annotations

import json

import cv2
import numpy as np
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.preparation.json2instanceImg import createInstanceImage
from cityscapesscripts.preparation.json2labelImg import createLabelImage
from PIL import Image

from projects.synthetic_data.street_scenes.scene import Scene
from projects.synthetic_data.street_scenes.shapes import clip

_SHIFT = 4  # bits behind the point in OpenCV's corner coordinates


def paint(scene: Scene, size: tuple[int, int]) -> np.ndarray:
    """Paint the image of a scene, (H, W, 3), RGB, uint8; ``size`` is (H, W) in pixels."""
    height, width = size
    above, horizon = (np.array(color) for color in scene.sky)
    fall = np.clip(np.linspace(0, 2.2, height), 0, 1)[:, None, None]
    image = np.repeat(above + (horizon - above) * fall, width, axis=1).astype(np.uint8)
    grain = np.zeros((height, width, 3), np.uint8)  # strength of the fine, of the coarse grain

    for part in scene.parts:
        if part.color is None:
            continue
        corners = np.rint(part.outline * height * (1 << _SHIFT)).astype(np.int32)
        color = tuple(float(round(c)) for c in part.color)
        strength = (*(round(255 * s) for s in part.texture), 0)
        if part.alpha < 1:
            _glaze(image, corners, color, part.alpha)
        else:
            cv2.fillPoly(image, [corners], color, cv2.LINE_AA, _SHIFT)
            cv2.fillPoly(grain, [corners], strength, cv2.LINE_8, _SHIFT)
    return _expose(image, grain, scene)


def _glaze(image: np.ndarray, corners: np.ndarray, color: tuple[float, ...], alpha: float) -> None:
    """Lay see-through paint over a polygon, in place."""
    height, width = image.shape[:2]
    x0, y0 = np.maximum(corners.min(axis=0) // (1 << _SHIFT) - 1, 0)
    x1, y1 = np.minimum(corners.max(axis=0) // (1 << _SHIFT) + 2, (width, height))
    if x0 >= x1 or y0 >= y1:
        return
    region = image[y0:y1, x0:x1]
    over = region.copy()
    local = corners - np.array((x0, y0), np.int32) * (1 << _SHIFT)
    cv2.fillPoly(over, [local.astype(np.int32)], color, cv2.LINE_AA, _SHIFT)
    region[:] = cv2.addWeighted(over, alpha, region, 1 - alpha, 0)


def _expose(image: np.ndarray, grain: np.ndarray, scene: Scene) -> np.ndarray:
    """Add grain, light that falls off to one side, tint and the sensor's noise."""
    height, width = image.shape[:2]
    rng = np.random.default_rng(scene.grain_seed)
    fine = rng.standard_normal((height, width), np.float32)
    patches = rng.standard_normal((24, round(24 * scene.width)), np.float32)
    coarse = np.asarray(cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC))
    noise = rng.standard_normal((height, width), np.float32)
    slope = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(rng.uniform(-0.12, 0.12))

    strength = grain.astype(np.float32) / 255
    factor = 1 + slope[None] + strength[..., 0] * fine + strength[..., 1] * coarse
    lit = image.astype(np.float32) * factor[..., None] * np.array(scene.light, np.float32)
    lit += 2.5 * noise[..., None]
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def polygons(scene: Scene, size: tuple[int, int]) -> dict:
    """Return a scene's annotation as Cityscapes writes it to ``*_gtFine_polygons.json``.

    ``objects`` are back to front, each with its ``label`` and its ``polygon`` of integer pixels
    inside the image; ``size`` is (H, W) in pixels.
    """
    height, width = size
    objects = []
    for part in scene.parts:
        if part.label is None:
            continue
        corners = np.rint(clip(part.outline * height, width - 1, height - 1)).astype(int)
        if len(np.unique(corners, axis=0)) >= 3:
            objects.append({"label": part.label, "polygon": corners.tolist()})
    return {"imgHeight": height, "imgWidth": width, "objects": objects}


def label_images(annotation: dict) -> dict[str, Image.Image]:
    """Draw an annotation of :func:`polygons` by cityscapesScripts.

    Returns:
        ``labelIds``, ``labelTrainIds`` (8 bits a pixel), ``color`` (RGBA) and ``instanceIds``
        (16 bits: 1000 * id + number for an instance, id for groups and for all else).
    """
    read = Annotation()
    read.fromJsonText(json.dumps(annotation))
    # Cityscapes ships 16-bit instance images; Pillow saves its own mode "I" as PNG no longer.
    instances = np.asarray(createInstanceImage(read, "ids")).astype(np.uint16)
    return {
        "labelIds": createLabelImage(read, "ids"),
        "labelTrainIds": createLabelImage(read, "trainIds"),
        "color": createLabelImage(read, "color"),
        "instanceIds": Image.fromarray(instances),
    }
