"""Cut objects out of a labeled dataset, a folder of crops for each class: for a first classifier.

With synthetic street scenes, four of the ten classes look alike in some crops, and their cue stands
elsewhere in the crop: a long cream box is a train over rails, else a bus, and figures behind a
guard rail are riders over a red cycle lane, else persons.

Example:
    python -m projects.synthetic_data.object_crops data/street_scenes data/street_crops
"""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from cityscapesscripts.helpers.labels import name2label

from glore_seg.cli import run_tool
from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_image, read_label_map, write_png
from glore_seg.utils.progress import track
from projects.synthetic_data.output_folder import DatasetFolder, check_range, dataset_parser

OBJECT_CLASSES = (
    *("bicycle", "bus", "car", "motorcycle", "person", "rider"),
    *("traffic light", "traffic sign", "train", "truck"),
)
"""Cityscapes' countable classes and the two that are mounted on poles, by name, as folders sort."""

_SPLITS = ("train", "val")
_IMAGE = "_leftImg8bit.png"
_FIX = "make the dataset again"
_Window = tuple[int, int, int]  # left, top and side of the square around an object


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
        ConfigError: A value is out of its range.
        DataError: A class is unknown or given twice, ``src`` holds no images of a split, an image
            has no labels or cannot be read, or a class has no object of that size in a split.
        OutputError: ``out`` holds other files, or other settings' without ``overwrite``.
    """
    src, out, classes = Path(src), Path(out), list(classes)
    if not set(classes) <= name2label.keys() or len(set(classes)) < max(2, len(classes)):
        raise DataError(
            f"classes are {classes}; expected two or more of Cityscapes' label names, each once, "
            f"such as {', '.join(OBJECT_CLASSES)}"
        )
    check_range(16, 1024, size=size)
    check_range(1, 10, context=context)
    check_range(1, min_side=min_side, num_train=num_train, num_val=num_val)
    check_range(0, seed=seed)
    settings = {"size": size, "context": context, "min_side": min_side}
    settings |= {"num_train": num_train, "num_val": num_val, "seed": seed}
    known = {"classes": classes, **settings, "src": str(src.resolve())}
    folder = DatasetFolder(out, "object_crops.json", "crops", _SPLITS)
    done = folder.claim(known, overwrite=overwrite)
    if done.get("counts"):
        return done["counts"]
    counts: dict[str, dict[str, int]] = {}
    targets: dict[Path, tuple[Path, _Window]] = {}
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
            for image, number, window in (objects[i] for i in chosen):
                stem = image.name.removesuffix(_IMAGE)
                targets[out / split / name / f"{stem}_{number:03d}.png"] = image, window
    for target, (image, (left, top, side)) in folder.write_missing(
        known, targets, progress=progress
    ):
        crop = read_image(image)[top : top + side, left : left + side]  # (side, side, 3)
        method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        write_png(target, cv2.resize(crop, (size, size), interpolation=method))
    folder.mark(known, counts=counts)
    return counts


def _find_objects(
    src: Path, split: str, classes: list[str], context: float, min_side: int, *, progress: bool
) -> dict[str, list[tuple[Path, int, _Window]]]:
    """Image, number in it and window of each object that is large enough, by class."""
    images = sorted((src / "leftImg8bit" / split).glob(f"*/*{_IMAGE}"))
    if not images:
        raise DataError(
            f"{src / 'leftImg8bit' / split} holds no CITY/*{_IMAGE}; expected a dataset "
            "in the layout of Cityscapes, such as projects/synthetic_data/street_scenes makes"
        )
    found: dict[str, list[tuple[Path, int, _Window]]] = {name: [] for name in classes}
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
                    found[name].append((image, number, window))
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


def _window(box: Sequence[int], shape: Sequence[int], context: float) -> _Window:
    """The square around an object, moved into the image: left, top and side."""
    x, y, width, height = box
    side = min(round(context * max(width, height)), *shape)
    left, top = (
        min(max(round(start + length / 2 - side / 2), 0), limit - side)
        for start, length, limit in ((x, width, shape[1]), (y, height, shape[0]))
    )
    return left, top, side


def main(argv: Sequence[str] | None = None) -> None:
    """Cut the crops."""
    args = dataset_parser(make_object_crops, __doc__).parse_args(argv)
    counts = make_object_crops(**vars(args))
    for split, numbers in counts.items():
        each = ", ".join(f"{number} {name}" for name, number in numbers.items())
        print(f"{args.out}/{split}: {each}")


if __name__ == "__main__":
    run_tool(main, resumable=True)
