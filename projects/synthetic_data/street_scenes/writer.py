"""From scenes to images, polygons and label maps, and to a folder in the layout of Cityscapes.

The labels are drawn by cityscapesScripts itself from the polygons that are written beside them.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.preparation.json2instanceImg import createInstanceImage
from cityscapesscripts.preparation.json2labelImg import createLabelImage
from PIL import Image

from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.image_io import write_png
from projects.synthetic_data.output_folder import DatasetFolder, check_range
from projects.synthetic_data.street_scenes.scene import Scene, compose_scene
from projects.synthetic_data.street_scenes.shapes import clip

DRAWING = 1  # raised whenever the same settings would give other images

# Real cities of the three splits, a few each.
_CITIES = {
    "train": ("aachen", "bremen", "cologne", "darmstadt"),
    "val": ("frankfurt", "lindau", "munster"),
    "test": ("berlin", "bonn", "leverkusen"),
}
_SHIFT = 4  # bits behind the point in OpenCV's corner coordinates


def make_street_scenes(
    root: str | Path,
    *,
    num_train: int = 240,
    num_val: int = 60,
    num_test: int = 12,
    size: tuple[int, int] = (128, 256),
    seed: int = 0,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Make a dataset of street scenes in the layout of Cityscapes, and return its folder.

    ``test`` gets images only, since the ground truth of Cityscapes' test split is withheld. An
    image depends on the seed, its split and its number alone, so that a larger dataset contains the
    smaller one. A second call with the same settings goes on where the first was interrupted.

    Args:
        root: Folder to write to; must be new, empty or made by this function.
        num_train: Images for training, at least 0.
        num_val: Images for validation, at least 0.
        num_test: Images without ground truth, at least 0.
        size: Height and width in pixels: 32 to 4096, the width 1 to 4 times the height.
        seed: At least 0.
        overwrite: Remove a dataset made with other settings first.
        progress: Show a bar with the time left.

    Raises:
        ConfigError: A count, the size or the seed is out of its range.
        OutputError: The folder holds other files, or other settings' without ``overwrite``.
    """
    root, (height, width) = Path(root), size
    check_range(0, num_train=num_train, num_val=num_val, num_test=num_test, seed=seed)
    if not 32 <= height <= width <= 4 * height or width > 4096:
        raise ConfigError(
            f"size is {height} x {width} (height x width); expected sides of 32 to 4096 and a "
            "width of 1 to 4 times the height, such as 128 x 256"
        )
    counts = {"train": num_train, "val": num_val, "test": num_test}
    settings = {"drawing": DRAWING, "counts": counts, "size": [height, width], "seed": seed}
    folder = DatasetFolder(root, "street_scenes.json", "street scenes", ("leftImg8bit", "gtFine"))
    if folder.claim(settings, overwrite=overwrite).get("complete"):
        return root

    targets: dict[Path, tuple[str, int]] = {}
    for split, count in counts.items():
        for index in range(count):
            city = _CITIES[split][index % len(_CITIES[split])]
            name = f"{city}_{index:06d}_000019_leftImg8bit.png"
            targets[root / "leftImg8bit" / split / city / name] = split, index
    for image, (split, index) in folder.write_missing(settings, targets, progress=progress):
        scene = compose_scene(seed, split, index, width=width / height)
        if split != "test":
            annotation = polygons(scene, (height, width))
            name = image.name.replace("leftImg8bit.png", "gtFine")
            stem = root / "gtFine" / split / image.parent.name / name
            with atomic_write(f"{stem}_polygons.json") as temporary:
                temporary.write_text(json.dumps(annotation))
            for kind, label_image in label_images(annotation).items():
                with atomic_write(f"{stem}_{kind}.png") as temporary:
                    label_image.save(temporary)
        write_png(image, paint(scene, (height, width)))
    folder.mark(settings, complete=True)
    return root


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

    Gives ``labelIds``, ``labelTrainIds`` (8 bits a pixel), ``color`` (RGBA) and ``instanceIds``
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
