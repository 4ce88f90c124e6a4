"""Cut objects out of a labeled dataset, a folder of crops for each class: for a first classifier.

With synthetic street scenes, four of the ten classes look alike in some crops, and their cue stands
elsewhere in the crop: a long cream box is a train over rails, else a bus, and figures behind a
guard rail are riders over a red cycle lane, else persons. --num-train and --num-val are crops of
each class, at most.

Example:
    python -m projects.synthetic_data.object_crops data/street_scenes data/street_crops
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from cityscapesscripts.helpers.labels import name2label

from glore_seg.cli import run_tool
from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_image, read_label_map, write_png
from glore_seg.utils.progress import track
from projects.synthetic_data.output_folder import DatasetFolder, dataset_parser

OBJECT_CLASSES = (
    *("bicycle", "bus", "car", "motorcycle", "person", "rider"),
    *("traffic light", "traffic sign", "train", "truck"),
)
"""Cityscapes' countable classes and the two that are mounted on poles, by name, as folders sort."""

MARKER = "object_crops.json"
"""Name of the file that tells how a folder was made and whether it is complete."""

_SPLITS = ("train", "val")
_IMAGE = "_leftImg8bit.png"
_FIX = "make the dataset again"
_RANGES = {
    "size": (16, 1024),
    "context": (1, 10),
    "min_side": (1, math.inf),
    "num_train": (1, math.inf),
    "num_val": (1, math.inf),
    "seed": (0, math.inf),
}


@dataclass(frozen=True)
class _Object:
    image: Path
    number: int  # among those of its image
    window: tuple[int, int, int]  # left, top and side of the square around it


def make_object_crops(
    src: str | Path,
    out: str | Path,
    *,
    classes: Sequence[str] = OBJECT_CLASSES,
    size: int = 96,
    context: float = 2.5,
    min_side: int = 16,
    num_train: int = 240,
    num_val: int = 100,
    seed: int = 0,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, dict[str, int]]:
    """Cut objects out of a labeled dataset, and file them by class as mmpretrain reads them.

    A crop is a square around one object, with surroundings, scaled to S x S and written to
    ``out/SPLIT/CLASS/IMAGE_NUMBER.png``; crops of a split come from the images of that split. An
    object is an instance of ``*_gtFine_instanceIds.png`` where the class has instances there, else
    a connected region of its label. A second call with the same settings goes on where the first
    was interrupted.

    Args:
        src: Dataset in the layout of Cityscapes with ``labelIds``: synthetic street scenes,
            converted CamVid, Cityscapes.
        out: Folder to write to; must be new, empty or made by this function.
        classes: Names of Cityscapes' labels, two or more.
        size: Side S of a crop in pixels, 16 to 1024.
        context: Side of the window over the longer side of the object, 1 to 10. The window never
            exceeds the image.
        min_side: Longer side that an object must have in its image, in pixels, at least 1.
        num_train: Crops of each class to train with, at most; at least 1.
        num_val: The same to validate with.
        seed: Chooses the crops where a class has more; at least 0.
        overwrite: Remove crops made with other settings first.
        progress: Show bars with the time left.

    Returns:
        The number of crops by split and class.

    Raises:
        DataError: A value is out of its range, a class is unknown or given twice, ``src`` holds no
            images of a split, an image has no labels or cannot be read, or a class has no object of
            that size in a split.
        OutputError: ``out`` holds other files, or other settings' without ``overwrite``.
    """
    src, out, classes = Path(src), Path(out), list(classes)
    if not set(classes) <= name2label.keys() or len(set(classes)) < max(2, len(classes)):
        raise DataError(
            f"classes are {classes}; expected two or more of Cityscapes' label names, each once, "
            f"such as {', '.join(OBJECT_CLASSES)}"
        )
    settings = {"size": size, "context": context, "min_side": min_side}
    settings |= {"num_train": num_train, "num_val": num_val, "seed": seed}
    for name, (low, high) in _RANGES.items():
        if not low <= settings[name] <= high:  # nan is in no range
            wanted = f"{low} or more" if high == math.inf else f"{low} to {high}"
            raise DataError(f"{name} is {settings[name]}; expected {wanted}")
    known = {"classes": classes, **settings, "src": str(src.resolve())}
    folder = DatasetFolder(out, MARKER, "crops", _SPLITS)
    done = folder.claim(known, overwrite=overwrite)
    if done.get("counts"):
        return done["counts"]
    counts: dict[str, dict[str, int]] = {}
    targets: dict[Path, _Object] = {}
    for split, limit in zip(_SPLITS, (num_train, num_val), strict=True):
        counts[split] = {}
        found = _find_objects(src, split, classes, context, min_side, progress=progress)
        for name, objects in found.items():
            if not objects:
                raise DataError(
                    f"no {name!r} of {min_side} or more pixels in {split}; expected at least one: "
                    "leave the class out, lower min_side, or give more images"
                )
            rng = np.random.default_rng((seed, zlib.crc32(f"{split} {name}".encode())))
            chosen = sorted(rng.permutation(len(objects))[:limit])
            counts[split][name] = len(chosen)
            for item in (objects[i] for i in chosen):
                stem = item.image.name.removesuffix(_IMAGE)
                targets[out / split / name / f"{stem}_{item.number:03d}.png"] = item
    for target, item in folder.write_missing(known, targets, progress=progress):
        write_png(target, _cut(item, size))
    folder.mark(known, counts=counts)
    return counts


def _find_objects(
    src: Path, split: str, classes: list[str], context: float, min_side: int, *, progress: bool
) -> dict[str, list[_Object]]:
    """All objects of a split that are large enough by class, in the order of the images' names."""
    images = sorted((src / "leftImg8bit" / split).glob(f"*/*{_IMAGE}"))
    if not images:
        raise DataError(
            f"{src / 'leftImg8bit' / split} holds no CITY/*{_IMAGE}; expected a dataset "
            "in the layout of Cityscapes, such as projects/synthetic_data/street_scenes makes"
        )
    found: dict[str, list[_Object]] = {name: [] for name in classes}
    for image in track(images, len(images), f"looking at {split}", show=progress):
        stem = image.name.removesuffix(_IMAGE)
        labels = src / "gtFine" / split / image.parent.name / f"{stem}_gtFine"
        ids = read_label_map(Path(f"{labels}_labelIds.png"), fix=_FIX)
        # CamVid has none: its labels tell no instances apart.
        file = Path(f"{labels}_instanceIds.png")
        instances = read_label_map(file, fix=_FIX) if file.is_file() else None
        number = 0
        for name in classes:
            for box in _boxes(name, ids, instances):
                if max(box[2:]) >= min_side:
                    window = _window(box, ids.shape, context)
                    found[name].append(_Object(image, number, window))
                    number += 1
    return found


def _boxes(name: str, ids: np.ndarray, instances: np.ndarray | None) -> Iterator[Sequence[int]]:
    """Left, top, width and height of each object of a class."""
    label = name2label[name]
    if label.hasInstances and instances is not None:
        for value in np.unique(instances[instances // 1000 == label.id]):
            yield cv2.boundingRect((instances == value).astype(np.uint8))
    else:
        _, _, stats, _ = cv2.connectedComponentsWithStats((ids == label.id).astype(np.uint8))
        yield from stats[1:, :4].tolist()  # the first is all the rest


def _window(box: Sequence[int], shape: Sequence[int], context: float) -> tuple[int, int, int]:
    """The square around an object, moved into the image: left, top and side."""
    x, y, width, height = box
    side = min(round(context * max(width, height)), *shape)
    left, top = (
        min(max(round(start + length / 2 - side / 2), 0), limit - side)
        for start, length, limit in ((x, width, shape[1]), (y, height, shape[0]))
    )
    return left, top, side


def _cut(item: _Object, size: int) -> np.ndarray:
    left, top, side = item.window
    crop = read_image(item.image)[top : top + side, left : left + side]  # (side, side, 3)
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(crop, (size, size), interpolation=method)  # (S, S, 3)


def main(argv: Sequence[str] | None = None) -> None:
    """Cut the crops."""
    parser = dataset_parser(__doc__, "crops", num_train=240, num_val=100)
    parser.add_argument("src", help="dataset in the layout of Cityscapes, with labelIds")
    parser.add_argument("out", help="folder to write to: new, empty or made by this command")
    parser.add_argument(
        "--classes",
        nargs="+",
        default=OBJECT_CLASSES,
        metavar="NAME",
        help=f"names of Cityscapes' labels (default: {', '.join(OBJECT_CLASSES)})",
    )
    parser.add_argument("--size", type=int, default=96, help="side of a crop (default: 96 pixels)")
    parser.add_argument(
        "--context",
        type=float,
        default=2.5,
        help="side of the window over the longer side of the object (default: 2.5)",
    )
    parser.add_argument(
        "--min-side", type=int, default=16, help="of an object, in pixels (default: 16)"
    )
    args = parser.parse_args(argv)
    counts = make_object_crops(**vars(args))
    for split, numbers in counts.items():
        each = ", ".join(f"{number} {name}" for name, number in numbers.items())
        print(f"{args.out}/{split}: {each}")


if __name__ == "__main__":
    run_tool(main, resumable=True)
