"""Convert CamVid (12 classes, 360 x 480) to the layout of Cityscapes.

No instance ids are written: CamVid does not label instances.
"""

import re
from pathlib import Path

import numpy as np
from cityscapesscripts.helpers.labels import name2label

from glore_seg.datasets.label_checks import LabelFormat, check_same_size, decode_label
from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_image, write_png
from glore_seg.utils.progress import track

_CLASSES = (  # Cityscapes' names of CamVid's indices 0, 1, ...
    *("sky", "building", "pole", "road", "sidewalk", "vegetation", "traffic sign", "fence"),
    *("car", "person", "rider", "unlabeled"),
)
CAMVID_CLASSES = tuple(sorted(_CLASSES[:-1], key=lambda name: name2label[name].trainId))
"""The 11 Cityscapes classes of CamVid, in Cityscapes' order, for ``metainfo`` in a config."""

_FORMAT = LabelFormat(num_classes=11, ignore_index=11)


def convert_camvid(src: str | Path, out: str | Path, *, progress: bool = True) -> dict[str, int]:
    """Convert CamVid to the layout of Cityscapes.

    Images are stored as PNG with the pixels of the decoded JPEG; labels become ``labelIds`` and
    ``labelTrainIds``. Existing images are skipped, so an interrupted run resumes.

    Args:
        src: Folder with ``images/{train,val}/NAME.jpg`` and ``labels/{train,val}/NAME.png``.
        out: Folder to write ``leftImg8bit`` and ``gtFine`` to.
        progress: Whether to show a progress bar.

    Returns:
        The number of images by split.

    Raises:
        DataError: A folder is missing or empty, an image has no label or the reverse, a name or a
            size does not fit, or a label map holds another value than 0 to 11.
    """
    src, out = Path(src), Path(out)
    pairs = {split: _find_pairs(src, split) for split in ("train", "val")}
    tasks = [(split, *pair) for split, found in pairs.items() for pair in found]
    for split, image, label in track(tasks, len(tasks), "CamVid", show=progress):
        _convert(image, label, out, split)
    return {split: len(found) for split, found in pairs.items()}


def cityscapes_name(name: str) -> str:
    """Return the Cityscapes name: ``camvid0006r0_000000_000930`` for ``0006R0_f00930``."""
    match = re.fullmatch(r"([0-9A-Za-z]+)_f?(\d{1,6})", name)
    if match is None:
        raise DataError(f"image name {name!r}; expected VIDEO_FRAME, such as 0001TP_006690")
    video, frame = match.groups()
    return f"camvid{video.lower()}_000000_{int(frame):06d}"


def _find_pairs(src: Path, split: str) -> list[tuple[Path, Path]]:
    images = {path.stem: path for path in sorted((src / "images" / split).glob("*.jpg"))}
    labels = {path.stem: path for path in sorted((src / "labels" / split).glob("*.png"))}
    if not images:
        raise DataError(
            f"no .jpg image in {src / 'images' / split}; expected CamVid as "
            f"images/{{train,val}}/NAME.jpg and labels/{{train,val}}/NAME.png in {src}"
        )
    unpaired = sorted(images.keys() ^ labels.keys())
    if unpaired:
        raise DataError(
            f"{len(unpaired)} names in {split} have an image or a label alone, such as "
            f"{unpaired[0]}: copy CamVid again"
        )
    return [(images[name], labels[name]) for name in images]


def _convert(image_path: Path, label_path: Path, out: Path, split: str) -> None:
    name = cityscapes_name(image_path.stem)
    city = name.split("_", maxsplit=1)[0]
    target = out / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png"
    if target.is_file():  # written last: its labels are there
        return
    stored = decode_label(label_path.read_bytes(), path=str(label_path))
    image = read_image(image_path)
    check_same_size(stored.shape, image.shape, str(label_path), str(image_path))
    _FORMAT.check_values(stored, str(label_path))
    stem = out / "gtFine" / split / city / f"{name}_gtFine"
    labels = [name2label[name] for name in _CLASSES]
    for kind, ids in (
        ("labelIds", [label.id for label in labels]),
        ("labelTrainIds", [label.trainId for label in labels]),
    ):
        write_png(f"{stem}_{kind}.png", np.array(ids, np.uint8)[stored])
    write_png(target, image)
