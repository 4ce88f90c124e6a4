"""Objects in labeled images, and the windows around them.

Shape legend: H, W sizes of an image.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from cityscapesscripts.helpers.labels import name2label

from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_label_map
from glore_seg.utils.progress import track
from projects.synthetic_data.object_crops.settings import CropSettings

IMAGE = "_leftImg8bit.png"
FIX = "make the dataset again"


@dataclass(frozen=True)
class LabeledObject:
    """A object in an image.

    Args:
        name: Its class.
        image: File of the image.
        number: Its number among the objects of its image.
        window: Left, top and side of the square around it, in pixels.
    """

    name: str
    image: Path
    number: int
    window: tuple[int, int, int]


def find_objects(
    src: Path, split: str, settings: CropSettings, *, progress: bool
) -> dict[str, list[LabeledObject]]:
    """Find all objects of a split that are large enough.

    Args:
        src: Dataset in the layout of Cityscapes.
        split: ``"train"`` or ``"val"``.
        settings: Classes, least size and window.
        progress: Whether to show a bar with the time left.

    Returns:
        The objects by class, in the order of the images' names.

    Raises:
        DataError: There are no images, or one has no labels.
        DataError: An image cannot be read.
    """
    images = sorted((src / "leftImg8bit" / split).glob("*/*_leftImg8bit.png"))
    if not images:
        raise DataError(
            f"{src / 'leftImg8bit' / split} holds no CITY/*_leftImg8bit.png; expected a dataset "
            "in the layout of Cityscapes, such as projects/synthetic_data/street_scenes makes"
        )
    found: dict[str, list[LabeledObject]] = {name: [] for name in settings.classes}
    for image in track(images, len(images), f"looking at {split}", show=progress):
        stem = image.name.removesuffix("_leftImg8bit.png")
        labels = src / "gtFine" / split / image.parent.name / f"{stem}_gtFine"
        ids = read_label_map(Path(f"{labels}_labelIds.png"), fix=FIX)
        # CamVid has none: its labels tell no instances apart.
        file = Path(f"{labels}_instanceIds.png")
        instances = read_label_map(file, fix=FIX) if file.is_file() else None
        number = 0
        for name in settings.classes:
            for box in _boxes(name, ids, instances):
                if max(box[2:]) >= settings.min_side:
                    window = _window(box, ids.shape, settings.context)
                    found[name].append(LabeledObject(name, image, number, window))
                    number += 1
    return found


def _boxes(
    name: str, ids: np.ndarray, instances: np.ndarray | None
) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, width and height of each object of a class."""
    label = name2label[name]
    if label.hasInstances and instances is not None:
        for value in np.unique(instances[instances // 1000 == label.id]):
            x, y, width, height = cv2.boundingRect((instances == value).astype(np.uint8))
            yield x, y, width, height
        return
    _, _, stats, _ = cv2.connectedComponentsWithStats((ids == label.id).astype(np.uint8))
    for x, y, width, height, _ in stats[1:].tolist():  # the first is all the rest
        yield x, y, width, height


def _window(
    box: tuple[int, int, int, int], shape: Sequence[int], context: float
) -> tuple[int, int, int]:
    """The square around an object, moved into the image: left, top and side."""
    x, y, width, height = box
    side = min(round(context * max(width, height)), *shape)
    left, top = (
        min(max(round(start + length / 2 - side / 2), 0), limit - side)
        for start, length, limit in ((x, width, shape[1]), (y, height, shape[0]))
    )
    return left, top, side


def choose(
    found: dict[str, list[LabeledObject]], split: str, limit: int, settings: CropSettings
) -> list[LabeledObject]:
    """Choose at most ``limit`` objects of each class, by the settings' seed.

    Raises:
        DataError: A class has none.
    """
    chosen: list[LabeledObject] = []
    for name, objects in found.items():
        if not objects:
            raise DataError(
                f"no {name!r} of {settings.min_side} or more pixels in {split}; expected at least "
                "one: leave the class out, lower min_side, or give more images"
            )
        rng = np.random.default_rng((settings.seed, zlib.crc32(f"{split} {name}".encode())))
        order = rng.permutation(len(objects))[:limit]
        chosen += [objects[i] for i in sorted(order)]
    return chosen
