"""CamVid in its 12-class, 360 x 480 form, turned into the layout of Cityscapes.

No instance images are made: CamVid's labels tell no instances apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_image, read_label_map, write_png
from glore_seg.utils.progress import track

CAMVID_SPLITS = ("train", "val")

CAMVID_CLASSES = (
    "road",
    "sidewalk",
    "building",
    "fence",
    "pole",
    "traffic sign",
    "vegetation",
    "sky",
    "person",
    "rider",
    "car",
)
"""The 11 Cityscapes classes that CamVid has, in Cityscapes' order: ``metainfo`` of a config."""

# CamVid's index -> Cityscapes' (label id, train id); CamVid's 11 is unlabelled.
_IDS = (
    (23, 10),  # sky
    (11, 2),  # building
    (17, 5),  # pole
    (7, 0),  # road
    (8, 1),  # pavement: sidewalk
    (21, 8),  # tree: vegetation
    (20, 7),  # sign or symbol: traffic sign
    (13, 4),  # fence
    (26, 13),  # car
    (24, 11),  # pedestrian: person
    (25, 12),  # bicyclist: rider
    (0, 255),
)


@dataclass(frozen=True)
class _Pair:
    split: str
    image: Path
    label: Path


def convert_camvid(src: str | Path, out: str | Path, *, progress: bool = True) -> dict[str, int]:
    """Convert CamVid to the layout of Cityscapes.

    Images are stored as PNG with the very pixels of the decoded JPEG; labels become ``labelIds``
    and ``labelTrainIds``. An image that is there already is skipped, so that an interrupted run
    goes on where it stopped.

    Args:
        src: Folder with ``images/{train,val}/NAME.jpg`` and ``labels/{train,val}/NAME.png``.
        out: Folder to write ``leftImg8bit`` and ``gtFine`` to.
        progress: Whether to show a bar with the time left.

    Returns:
        The number of images by split.

    Raises:
        DataError: If a folder is missing or empty.
        DataError: If an image has no label or a label no image, if a name or a size doesn't
            fit, or if a label holds another value than 0..11.
    """
    src, out = Path(src), Path(out)
    pairs = [pair for split in CAMVID_SPLITS for pair in _pairs(src, split)]
    for pair in track(pairs, len(pairs), "CamVid", show=progress):
        _convert(pair, out)
    return {split: sum(pair.split == split for pair in pairs) for split in CAMVID_SPLITS}


def cityscapes_name(name: str) -> str:
    """Return the Cityscapes name (``city_sequence_frame``) of a CamVid image.

    Args:
        name: CamVid's, such as ``0001TP_006690`` or ``0006R0_f00930``.

    Returns:
        The name, such as ``camvid0001tp_000000_006690``: a video is a city of one sequence.

    Raises:
        DataError: If ``name`` is not of that form.
    """
    match = re.fullmatch(r"([0-9A-Za-z]+)_f?(\d{1,6})", name)
    if match is None:
        raise DataError(
            f"image name {name!r} is not of the form VIDEO_FRAME, such as 0001TP_006690"
        )
    video, frame = match.groups()
    return f"camvid{video.lower()}_000000_{int(frame):06d}"


def _pairs(src: Path, split: str) -> list[_Pair]:
    folders = src / "images" / split, src / "labels" / split
    for folder in folders:
        if not folder.is_dir():
            raise DataError(
                f"{folder} is missing; expected CamVid as images/{{train,val}}/NAME.jpg and "
                f"labels/{{train,val}}/NAME.png in {src}"
            )
    images = {path.stem: path for path in sorted(folders[0].glob("*.jpg"))}
    labels = {path.stem: path for path in sorted(folders[1].glob("*.png"))}
    if not images:
        raise DataError(f"{folders[0]} holds no .jpg image")
    for these, those, what in ((images, labels, "label"), (labels, images, "image")):
        alone = sorted(these.keys() - those.keys())
        if alone:
            raise DataError(
                f"{len(alone)} of {len(these)} in {split} have no {what}: "
                f"{', '.join(alone[:3])}{', ...' if len(alone) > 3 else ''}"
            )
    return [_Pair(split, images[name], labels[name]) for name in images]


def _convert(pair: _Pair, out: Path) -> None:
    name = cityscapes_name(pair.image.stem)
    city = name.split("_", maxsplit=1)[0]
    target = out / "leftImg8bit" / pair.split / city / f"{name}_leftImg8bit.png"
    if target.is_file():  # written last: its labels are there
        return
    label = read_label_map(pair.label)
    image = read_image(pair.image)
    if label.ndim != 2 or label.dtype != np.uint8:
        raise DataError(
            f"{pair.label} has shape {label.shape} of {label.dtype}; expected one byte a pixel, "
            "the class index 0..11"
        )
    if label.shape != image.shape[:2]:
        raise DataError(
            f"{pair.label} is {label.shape[0]} x {label.shape[1]} but its image is "
            f"{image.shape[0]} x {image.shape[1]} (height x width); expected the same size"
        )
    if label.max() >= len(_IDS):
        bad = sorted({int(value) for value in np.unique(label) if value >= len(_IDS)})
        raise DataError(f"{pair.label} holds {bad}; expected class indices 0..{len(_IDS) - 1}")

    stem = out / "gtFine" / pair.split / city / f"{name}_gtFine"
    ids = np.array(_IDS, np.uint8)
    write_png(f"{stem}_labelIds.png", ids[label, 0])
    write_png(f"{stem}_labelTrainIds.png", ids[label, 1])
    write_png(target, image)
