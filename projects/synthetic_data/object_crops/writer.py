"""Cut objects out of images and file them by class.

Shape legend: S side of a crop.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import cv2

from glore_seg.utils.image_io import read_image, write_png
from glore_seg.utils.progress import track
from projects.synthetic_data.object_crops.objects import (
    IMAGE,
    LabeledObject,
    choose,
    find_objects,
)
from projects.synthetic_data.object_crops.settings import CropSettings
from projects.synthetic_data.output_folder import DatasetFolder

MARKER = "object_crops.json"
"""Name of the file that tells how a folder was made and whether it is complete."""

SPLITS = ("train", "val")


def make_object_crops(
    src: str | Path,
    out: str | Path,
    *,
    settings: CropSettings | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, dict[str, int]]:
    """Cut objects out of a labeled dataset, and file them by class as mmpretrain reads them.

    A crop is a square around one object, with surroundings, scaled to S x S and written to
    ``out/SPLIT/CLASS/IMAGE_NUMBER.png``. Crops to train with come from the images of ``train``,
    those to validate with from ``val``: no image serves both. A object is an instance of
    ``*_gtFine_instanceIds.png`` where the class has instances there, else a connected region of
    its label.

    A second call with the same settings goes on where the first was interrupted, and returns at
    once where it was complete.

    Args:
        src: Dataset in the layout of Cityscapes with ``labelIds``: made street scenes, converted
            CamVid, Cityscapes.
        out: Folder to write to; must be new, empty or made by this function.
        settings: What to cut. Default: those of :class:`CropSettings`.
        overwrite: Whether to remove crops made with other settings first.
        progress: Whether to show bars with the time left.

    Returns:
        The number of crops by split and class.

    Raises:
        FileNotFoundError: ``src`` holds no images of a split, or an image no labels.
        ValueError: A class has no object of that size in a split.
        FileExistsError: ``out`` holds other files, or crops of other settings and ``overwrite`` is
            not set.
    """
    src, out, settings = Path(src), Path(out), settings or CropSettings()
    known = {**asdict(settings), "classes": list(settings.classes), "src": str(src.resolve())}
    folder = DatasetFolder(out, MARKER, "crops", SPLITS)
    found = folder.claim(known, overwrite=overwrite)
    if found.get("counts"):
        return found["counts"]
    counts: dict[str, dict[str, int]] = {}
    objects: list[tuple[str, LabeledObject]] = []
    for split, limit in zip(SPLITS, (settings.num_train, settings.num_val), strict=True):
        chosen = choose(
            find_objects(src, split, settings, progress=progress), split, limit, settings
        )
        counts[split] = dict(Counter(item.name for item in chosen))
        objects += [(split, item) for item in chosen]
    folder.mark(known, counts=None)
    for split, item in track(objects, len(objects), "cutting", show=progress):
        _cut(out / split / item.name, item, settings.size)
    folder.mark(known, counts=counts)
    return counts


def _cut(folder: Path, item: LabeledObject, size: int) -> None:
    stem = item.image.name.removesuffix(IMAGE)
    target = folder / f"{stem}_{item.number:03d}.png"
    if target.is_file():
        return
    image = read_image(item.image)
    left, top, side = item.window
    crop = image[top : top + side, left : left + side]  # (side, side, 3)
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    crop = cv2.resize(crop, (size, size), interpolation=method)  # (S, S, 3)
    write_png(target, crop)
