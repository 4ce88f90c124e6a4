"""Read a packed dataset, and reject one that is stale or corrupted."""

from __future__ import annotations

import functools
import os
import os.path as osp
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glore_seg.datasets.packed.index import PACK_COMMAND, PIXELS, SourceFile, read_index
from glore_seg.errors import DataError
from glore_seg.utils.progress import track


class PackedImage(NamedTuple):
    """Where a dataset finds an image.

    Args:
        path: The file of pixels.
        version: Its :func:`version_of` when the dataset was built.
        offset: Position of the image in bytes.
        shape: Height and width.
    """

    path: str
    version: tuple[int, int, int]
    offset: int
    shape: tuple[int, int]


def attach_pack(items: Iterable[dict], pack: str | Path, data_root: str | None) -> None:
    """Add ``packed``, a :class:`PackedImage`, to the samples of a dataset.

    Sizes and times of the original files must be those of the packed ones; ``verify_pack``
    compares the pixels.

    Args:
        items: With ``img_path`` and ``seg_map_path``; changed in place.
        pack: Folder of the packed dataset.
        data_root: Root of the dataset; paths in the index are below it.

    Raises:
        DataError: The packed dataset is missing, unfinished, stale or corrupted, or ``data_root``
            is missing.
    """
    if not data_root:
        raise DataError(f"pack is {pack} but data_root is {data_root!r}: a pack needs both")
    pixels, root = str(Path(pack) / PIXELS), Path(data_root)
    # before the index: pixels that are written between the two are then refused when read
    version = version_of(pixels) if osp.isfile(pixels) else (0, 0, 0)
    entries = read_index(pack)
    absent, stale = [], []
    for item in items:
        paths = [
            Path(osp.relpath(item[key], data_root)).as_posix()
            for key in ("img_path", "seg_map_path")
        ]
        entry = entries.get(paths[0])
        if entry is None:
            absent.append(paths[0])
        elif [SourceFile.of(root, path) for path in paths] != [entry.image, entry.label]:
            stale.append(paths[0])
        else:
            item["packed"] = PackedImage(pixels, version, entry.offset, entry.shape)
    for names, what in ((absent, "are not in it"), (stale, "have changed since they were packed")):
        if names:
            raise DataError(
                f"pack {pack} does not fit {data_root}: {len(names)} images {what}, such as "
                f"{names[0]}: run `{PACK_COMMAND}` again (with the --splits, --img-suffix and "
                "--seg-map-suffix of the dataset), or leave pack out"
            )


def read_packed(packed: PackedImage) -> tuple[np.ndarray, np.ndarray]:
    """Map one image and its label map; bytes are read when they are accessed.

    Returns:
        The image, (H, W, 3), BGR, and the label map, (H, W); uint8 and read-only.

    Raises:
        DataError: The file has changed since the dataset was built.
    """
    height, width = packed.shape
    pixels = _mapped(packed.path, packed.version)
    middle, end = (packed.offset + height * width * channels for channels in (3, 4))
    image, label = pixels[packed.offset : middle], pixels[middle:end]
    return image.reshape(height, width, 3), label.reshape(height, width)


def version_of(file: str | int) -> tuple[int, int, int]:
    """Return what changes if a file is replaced or written to: inode, size and time in ns."""
    stat = os.stat(file)
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


@functools.lru_cache(maxsize=4)
def _mapped(path: str, version: tuple[int, int, int]) -> np.ndarray:
    # one map per process: a map per image takes a fifth of the time of a sample
    with open(path, "rb") as file:
        if version_of(file.fileno()) != version:
            raise DataError(
                f"{path} has changed since the dataset was built: start the training again"
            )
        return np.asarray(np.memmap(file, np.uint8, "r"))


def verify_pack(pack: str | Path, *, progress: bool = True) -> list[str]:
    """Read every image and compare its checksum.

    Args:
        pack: Folder of the packed dataset.
        progress: Whether to show a progress bar.

    Returns:
        A line for each corrupted image.

    Raises:
        DataError: The packed dataset is missing or unfinished, or its index is corrupted.
    """
    entries = read_index(pack)
    corrupted = []
    with (Path(pack) / PIXELS).open("rb") as pixels:
        names = sorted(entries, key=lambda name: entries[name].offset)
        for name in track(names, len(names), "verifying", show=progress):
            pixels.seek(entries[name].offset)
            if zlib.crc32(pixels.read(entries[name].size)) != entries[name].crc32:
                corrupted.append(
                    f"{name} is corrupted in {pack} (its checksum differs): remove the pack and "
                    f"create it again with `{PACK_COMMAND}`"
                )
    return corrupted
