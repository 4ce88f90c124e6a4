"""Pack a dataset in the layout of Cityscapes."""

import glob
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from glore_seg.datasets.label_checks import LabelFormat, check_same_size, decode_label
from glore_seg.datasets.packed.reader import (
    INDEX,
    PIXELS,
    Entry,
    SourceFile,
    read_index,
    write_index,
)
from glore_seg.errors import DataError
from glore_seg.utils.files import explain_write_error, fsync, locked, remove_unfinished
from glore_seg.utils.image_io import decode_image, read_header
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track

LOCK = "pack.lock"
_SECONDS_BETWEEN_INDICES = 10.0
_ALIGNMENT = 64


class _Task(NamedTuple):
    image: str  # files below the root
    label: str
    shape: tuple[int, int]
    offset: int


def pack_dataset(
    root: str | Path,
    pack: str | Path,
    *,
    splits: Sequence[str] = ("train",),
    img_suffix: str = "_leftImg8bit.png",
    seg_map_suffix: str = "_gtFine_labelTrainIds.png",
    num_classes: int = 19,
    num_workers: int = 1,
    progress: bool = True,
) -> tuple[int, int]:
    """Decode the images and label maps of a dataset once, into one file for memory mapping.

    ``pixels.u8`` holds the bytes, four per pixel; ``pack.json`` says where, with checksums and
    with sizes and times of the original files, which are only read. A second call resumes an
    interrupted one, packs again what has changed, and keeps the rest.

    Args:
        root: Folder with ``leftImg8bit`` and ``gtFine``.
        pack: Folder to write to.
        splits: Splits to pack, which have labels.
        img_suffix: Suffix of image files, as for ``CheckedCityscapesDataset``.
        seg_map_suffix: Suffix of their label maps.
        num_classes: Number of stored classes, as for ``LoadCheckedAnnotations``.
        num_workers: Number of processes, at least 1.
        progress: Whether to show a progress bar.

    Returns:
        The number of images packed and the number kept.

    Raises:
        OutputError: Another process is packing into ``pack``, or the disk is full.
        DataError: A split has no images, images have no labels, an image or a label map cannot
            be read or does not fit, or the index is corrupted.
        ConfigError: An option is out of range.
    """
    root, pack = Path(root), Path(pack)
    label_format = LabelFormat(num_classes)
    found = (_find_pairs(root, split, img_suffix, seg_map_suffix) for split in splits)
    pairs = list(dict.fromkeys(pair for split in found for pair in split))
    with explain_write_error(pack):
        pack.mkdir(parents=True, exist_ok=True)
        (pack / LOCK).touch()
    pixels = pack / PIXELS

    def save(*, complete: bool) -> None:
        fsync(pixels)  # before the index that describes them
        write_index(pack, entries, complete=complete)

    with locked(pack / LOCK, doing=f"packing into {pack}"):
        remove_unfinished(pack)
        entries = read_index(pack, unfinished=True) if (pack / INDEX).is_file() else {}
        packed = {(entry.image, entry.label) for entry in entries.values()}
        todo = [
            pair
            for pair in pairs
            if tuple(SourceFile.of(root, path) for path in pair) not in packed
        ]
        tasks, length = _plan(root, todo, entries)
        if not pixels.exists():  # touching it would tell datasets in use that it has changed
            pixels.touch()
        if length > pixels.stat().st_size:
            os.truncate(pixels, length)
        for task in tasks:  # no entry may describe bytes that are being written
            entries.pop(task.image, None)
        save(complete=not tasks)
        work = partial(_pack_one, root, pixels, label_format)
        done = map_in_processes(work, tasks, num_workers, chunksize=4)
        saved = time.monotonic()
        try:
            for entry in track(done, len(tasks), "packing", show=progress):
                entries[entry.image.path] = entry
                if time.monotonic() - saved > _SECONDS_BETWEEN_INDICES:
                    save(complete=False)
                    saved = time.monotonic()
        finally:  # also after Ctrl-C
            save(complete=all(task.image in entries for task in tasks))
    return len(todo), len(pairs) - len(todo)


def _pack_one(root: Path, pixels: Path, label_format: LabelFormat, task: _Task) -> Entry:
    """Write an image and its label map at their position; return the entry for the index."""
    # before reading: a later change is then noticed
    image, label = SourceFile.of(root, task.image), SourceFile.of(root, task.label)
    path, label_path = root / task.image, root / task.label
    decoded = decode_image(path.read_bytes(), name=str(path), channel_order="bgr")
    if decoded.shape[:2] != task.shape:
        raise DataError(
            f"{path} decodes to {decoded.shape[:2]}, its header declares {task.shape}: save it "
            "without EXIF orientation"
        )
    stored = decode_label(label_path.read_bytes(), path=str(label_path))
    check_same_size(stored.shape, task.shape, str(label_path), str(path))
    label_format.check_values(stored, str(label_path))
    content = decoded.tobytes() + stored.tobytes()
    with explain_write_error(pixels), pixels.open("r+b") as file:
        file.seek(task.offset)
        file.write(content)
    return Entry(task.offset, task.shape, zlib.crc32(content), image, label)


def _find_pairs(root: Path, split: str, img_suffix: str, suffix: str) -> Iterator[tuple[str, str]]:
    folder = root / "leftImg8bit" / split
    images = sorted(folder.glob(f"*/[!.]*{glob.escape(img_suffix)}"))
    if not images:
        raise DataError(
            f"no *{img_suffix} in {folder}/CITY: prepare the data as data/README.md says, or name "
            "other splits or another img_suffix"
        )
    labels = [
        root / "gtFine" / split / path.parent.name / (path.name.removesuffix(img_suffix) + suffix)
        for path in images
    ]
    lacking = [path for path in labels if not path.is_file()]
    if lacking:
        raise DataError(
            f"{len(lacking)} of {len(labels)} images of {split} have no label, such as "
            f"{lacking[0]}: prepare the labels as data/README.md says, or correct seg_map_suffix"
        )
    for image, label in zip(images, labels, strict=True):
        yield image.relative_to(root).as_posix(), label.relative_to(root).as_posix()


def _plan(
    root: Path, pairs: list[tuple[str, str]], entries: dict[str, Entry]
) -> tuple[list[_Task], int]:
    """Give each image its old position if it fits there, else one behind all others."""
    tasks, length = [], max((entry.end for entry in entries.values()), default=0)
    for image, label in pairs:
        shape, before = read_header(root / image).shape, entries.get(image)
        size = shape[0] * shape[1] * 4
        if before is not None and before.size == size:
            offset = before.offset
        else:
            offset = -(-length // _ALIGNMENT) * _ALIGNMENT
            length = offset + size
        tasks.append(_Task(image, label, shape, offset))
    return tasks, length
