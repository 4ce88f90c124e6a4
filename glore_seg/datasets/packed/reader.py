"""Read a pack, and refuse one that is stale or damaged."""

from __future__ import annotations

import functools
import os
import os.path as osp
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glore_seg.datasets.packed.index import PACK_COMMAND, PIXELS, Entry, read_index
from glore_seg.errors import DataError
from glore_seg.utils.progress import track


class Version(NamedTuple):
    """What tells a file of pixels from one that was made or written to later.

    Args:
        inode: Its number in the file system.
        size: Its bytes.
        mtime_ns: When it was last changed, in ns.
    """

    inode: int
    size: int
    mtime_ns: int


class SeededIndex(NamedTuple):
    """Where a dataset finds an image in a pack.

    Args:
        path: The file of pixels.
        version: That of the file when the dataset was built.
        offset: Where the image begins, in bytes.
        shape: Height and width.
    """

    path: str
    version: Version
    offset: int
    shape: tuple[int, int]


def attach_pack(items: Iterable[dict], pack: str | Path, data_root: str | None) -> None:
    """Tell each item of a dataset where its packed image is, as ``packed``, a ``SeededIndex``.

    The sizes and times of the originals must be those that were packed; ``verify_pack`` compares
    the pixels.

    Args:
        items: With ``img_path`` and, where there are labels, ``seg_map_path``; changed in place.
        pack: Folder of the pack.
        data_root: Root of the dataset; paths in the pack are below it.

    Raises:
        DataError: If there is no pack.
        DataError: If the pack is unfinished, stale or damaged, or ``data_root`` is missing.
    """
    if not data_root:
        raise DataError(f"pack is {pack} but data_root is {data_root!r}: a pack needs both")
    pixels = str(Path(pack) / PIXELS)
    try:  # before the index: were it written to between the two, reading would refuse it
        version = version_of(pixels)
    except FileNotFoundError:
        version = Version(0, 0, 0)
    entries = read_index(pack)
    absent, stale = [], []
    for item in items:
        name = _below(item["img_path"], data_root)
        entry = entries.get(name)
        if entry is None:
            absent.append(name)
        elif not _is_fresh(entry, item, data_root):
            stale.append(name)
        else:
            item["packed"] = SeededIndex(pixels, version, entry.offset, entry.shape)
    for names, what in ((absent, "are not in it"), (stale, "have changed since they were packed")):
        if names:
            raise DataError(
                f"pack {pack} does not fit {data_root}: {len(names)} images {what}, such as "
                f"{names[0]}: run `{PACK_COMMAND}` again (with the --splits, --img-suffix and "
                "--seg-map-suffix of the dataset), or leave pack out"
            )


def _below(path: str, data_root: str) -> str:
    return Path(osp.relpath(path, data_root)).as_posix()


def _is_fresh(entry: Entry, item: dict, data_root: str) -> bool:
    if not entry.image.fits(Path(item["img_path"])):
        return False
    label = item.get("seg_map_path")
    if label is None:
        return True
    return (
        entry.label is not None
        and entry.label.path == _below(label, data_root)
        and entry.label.fits(Path(label))
    )


def read_packed(place: SeededIndex) -> tuple[np.ndarray, np.ndarray]:
    """Map one image and its label; nothing is read before its pixels are looked at.

    Args:
        place: Where they are.

    Returns:
        The image, shape (H, W, 3), channels blue, green, red, and the label, shape (H, W); uint8
        and read-only.

    Raises:
        DataError: If the file is missing, too short or of another version.
    """
    height, width = place.shape
    try:
        pixels = _mapped(place.path, place.version)
    except OSError as error:
        raise DataError(f"{place.path} cannot be read ({error}): {_MEND}") from error
    end = place.offset + height * width * 4
    if end > pixels.size:
        raise DataError(
            f"{place.path} has {pixels.size} bytes; expected {end} or more, it is cut short: "
            f"{_MEND}"
        )
    middle = end - height * width
    image, label = pixels[place.offset : middle], pixels[middle:end]
    return image.reshape(height, width, 3), label.reshape(height, width)


_MEND = f"remove the pack and make it again with `{PACK_COMMAND}`"


def version_of(file: str | int) -> Version:
    """Return the version of a file of pixels, by its path or an open descriptor."""
    stat = os.stat(file)
    return Version(stat.st_ino, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _mapped(path: str, version: Version) -> np.ndarray:
    # one map a process: a map an image costs as much as a fifth of all the rest
    with open(path, "rb") as file:
        if version_of(file.fileno()) != version:
            raise DataError(
                f"{path} has changed since the dataset was built: build the dataset again "
                "(start the training again)"
            )
        return np.asarray(np.memmap(file, np.uint8, "r"))


def verify_pack(pack: str | Path, *, progress: bool = True) -> list[str]:
    """Read every image of a pack and compare its checksum.

    Args:
        pack: Folder of the pack.
        progress: Whether to show a bar with the time left.

    Returns:
        What is wrong, a line an image; empty where all is well.

    Raises:
        DataError: If there is no pack.
        DataError: If the pack is unfinished or its index damaged.
    """
    entries = read_index(pack)
    damaged = []
    with (Path(pack) / PIXELS).open("rb") as pixels:
        names = sorted(entries, key=lambda name: entries[name].offset)
        for name in track(names, len(names), "verifying", show=progress):
            pixels.seek(entries[name].offset)
            if zlib.crc32(pixels.read(entries[name].size)) != entries[name].crc32:
                damaged.append(f"{name} is damaged in {pack} (its checksum differs): {_MEND}")
    return damaged
