"""Make a packed copy of a dataset in the layout of Cityscapes."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from glore_seg.datasets.packed.index import INDEX, PIXELS, Entry, read_index, write_index
from glore_seg.datasets.packed.lock import LOCK, sole_writer
from glore_seg.datasets.packed.record import Task, pack_one
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations
from glore_seg.errors import DataError, OutputError
from glore_seg.utils.files import is_temporary, remove_unfinished
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track

_SECONDS_BETWEEN_INDICES = 10.0
_ALIGNMENT = 64

Pair = tuple[str, str | None]


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
    """Decode the images and labels of a dataset once, into one file that is read by mapping.

    ``pixels.u8`` holds the bytes, four a pixel, ``pack.json`` says where, with sizes, times and
    checksums. The originals are only read. A second call goes on where the first was interrupted,
    packs again what has changed since, and keeps what was packed before.

    Args:
        root: Folder with ``leftImg8bit`` and ``gtFine``.
        pack: Folder to write to: new, empty or a pack.
        splits: Splits to pack, each once; those without labels get images alone.
        img_suffix: How the names of images end, as for ``CheckedCityscapesDataset``.
        seg_map_suffix: How those of their labels end in its place.
        num_classes: Number of classes in the stored labels, as for ``LoadCheckedAnnotations``.
        num_workers: Processes at work, at least 1.
        progress: Whether to show a bar with the time left.

    Returns:
        The number of images packed and of those that were there.

    Raises:
        OutputError: If another process is packing into ``pack``.
        OutputError: If ``pack`` holds other files.
        DataError: If a split has no images, or only some of its images have labels.
        OutputError: If the disk has too little room.
        DataError: If a label doesn't fit (see ``LoadCheckedAnnotations``), an image can't be
            read, the pack's index is damaged, or an option is out of its range.
    """
    root, pack = Path(root), Path(pack)
    if num_workers < 1:
        raise DataError(f"num_workers is {num_workers}; expected at least 1")
    for name, suffix in (("img_suffix", img_suffix), ("seg_map_suffix", seg_map_suffix)):
        if not suffix or "/" in suffix:
            raise DataError(f"{name} is {suffix!r}; expected the end of a file's name")
    labels = LoadCheckedAnnotations(num_classes=num_classes, imdecode_backend="cv2")
    pairs = list(
        dict.fromkeys(
            pair for split in splits for pair in _pairs(root, split, img_suffix, seg_map_suffix)
        )
    )
    _begun(pack)  # before anything is written there
    pack.mkdir(parents=True, exist_ok=True)
    with sole_writer(pack):
        return _pack(root, pack, pairs, labels, num_workers, progress)


def _pack(
    root: Path,
    pack: Path,
    pairs: list[Pair],
    labels: LoadCheckedAnnotations,
    num_workers: int,
    progress: bool,
) -> tuple[int, int]:
    remove_unfinished(pack)
    entries = _begun(pack)
    todo = [pair for pair in pairs if not _is_fresh(root, pair, entries)]
    tasks, length = _placed(root, todo, entries)
    pixels = pack / PIXELS
    _check_room(pixels, length, len(todo))
    if not pixels.exists():  # a new time would tell datasets in use that it has changed
        pixels.touch()
    if length > pixels.stat().st_size:
        os.truncate(pixels, length)
    for task in tasks:  # until it is whole again, its place holds nothing
        entries.pop(task.image, None)
    _keep(pack, entries, complete=not tasks)
    try:
        _run(partial(pack_one, root, pixels, labels), tasks, pack, entries, num_workers, progress)
    finally:  # an interruption from the keyboard, too, keeps what was made
        _keep(pack, entries, complete=all(task.image in entries for task in tasks))
    return len(todo), len(pairs) - len(todo)


def _run(
    work: partial,
    tasks: list[Task],
    pack: Path,
    entries: dict[str, Entry],
    num_workers: int,
    progress: bool,
) -> None:
    kept = time.monotonic()
    for entry in track(
        map_in_processes(work, tasks, num_workers, chunksize=4),
        len(tasks),
        "packing",
        show=progress,
    ):
        entries[entry.image.path] = entry
        if time.monotonic() - kept > _SECONDS_BETWEEN_INDICES:
            _keep(pack, entries, complete=False)
            kept = time.monotonic()


def _keep(pack: Path, entries: dict[str, Entry], *, complete: bool) -> None:
    """Write the index, once what it tells of is on the disk."""
    with (pack / PIXELS).open("rb") as pixels:
        os.fsync(pixels.fileno())
    write_index(pack, entries, complete=complete)


def _pairs(root: Path, split: str, img_suffix: str, seg_map_suffix: str) -> Iterator[Pair]:
    images = sorted((root / "leftImg8bit" / split).glob(f"*/[!.]*{glob.escape(img_suffix)}"))
    if not images:
        raise DataError(
            f"no *{img_suffix} in {root / 'leftImg8bit' / split}/CITY: prepare the data as "
            "data/README.md says, or name other splits or another img_suffix"
        )
    labels = [
        root
        / "gtFine"
        / split
        / path.parent.name
        / (path.name.removesuffix(img_suffix) + seg_map_suffix)
        for path in images
    ]
    lacking = [path for path in labels if not path.is_file()]
    if lacking and len(lacking) < len(labels):
        raise DataError(
            f"{len(lacking)} of {len(labels)} images of {split} have no label, such as "
            f"{lacking[0]}: prepare the labels as data/README.md says, or correct seg_map_suffix"
        )
    for image, label in zip(images, labels, strict=True):
        yield (
            image.relative_to(root).as_posix(),
            None if lacking else label.relative_to(root).as_posix(),
        )


def _begun(pack: Path) -> dict[str, Entry]:
    """Return what is packed already; refuse a folder of something else."""
    if pack.exists() and not pack.is_dir():
        raise OutputError(f"{pack} is a file; expected a folder: give another name")
    if (pack / INDEX).is_file():
        return read_index(pack, unfinished=True)
    names = {path.name for path in pack.iterdir()} if pack.is_dir() else set()
    names = {name for name in names if not is_temporary(name)}
    # who was killed, or is at work, may have a lock and no index yet
    if names - ({LOCK, PIXELS} if LOCK in names else set()):
        raise OutputError(
            f"{pack} holds files that are no pack (no {INDEX} in it): give another folder"
        )
    return {}


def _is_fresh(root: Path, pair: Pair, entries: dict[str, Entry]) -> bool:
    entry = entries.get(pair[0])
    if entry is None or (entry.label and entry.label.path) != pair[1]:
        return False
    sources = (entry.image, entry.label) if entry.label else (entry.image,)
    return all(source.fits(root / source.path) for source in sources)


def _placed(root: Path, todo: list[Pair], entries: dict[str, Entry]) -> tuple[list[Task], int]:
    """Give each image its place: the one that it had where it fits, else behind all others."""
    tasks, length = [], max((entry.end for entry in entries.values()), default=0)
    for image, label in todo:
        try:
            with Image.open(root / image) as opened:  # reads the header alone
                shape = (opened.height, opened.width)
        except Exception as error:  # decoders raise whatever they stumble over
            raise DataError(
                f"{root / image} cannot be read as an image ({error}): get it again"
            ) from error
        before = entries.get(image)
        size = shape[0] * shape[1] * (3 if label is None else 4)
        if before is not None and before.size == size:
            offset = before.offset
        else:
            offset = -(-length // _ALIGNMENT) * _ALIGNMENT
            length = offset + size
        tasks.append(Task(image, label, shape, offset, before))
    return tasks, length


def _check_room(pixels: Path, length: int, count: int) -> None:
    # a file made longer takes no room until it is written to: what it has counts in blocks
    there = pixels.stat().st_blocks * 512 if pixels.is_file() else 0
    needed, free = length - there, shutil.disk_usage(pixels.parent).free
    if needed > free:
        raise OutputError(
            f"packing {count} images needs {needed / 1e9:.1f} GB more, {pixels.parent} has "
            f"{free / 1e9:.1f} GB free: make room, or give a folder on another disk"
        )
