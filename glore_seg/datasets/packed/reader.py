"""Read a packed dataset, and reject one that is stale or corrupted.

``pack.json``, the index, tells where each image is in ``pixels.u8`` and from which files it was
packed.
"""

import functools
import json
import os
import os.path as osp
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.progress import track

INDEX = "pack.json"
"""Name of the index in the folder of a packed dataset."""

PIXELS = "pixels.u8"
"""Name of the file with the bytes of all images and label maps."""

PACK_COMMAND = "python tools/dataset_converters/pack.py DATA_ROOT PACK"
"""Creates a packed dataset, for messages."""

_FORMAT = ("glore_seg pack", 3)  # and its version


@dataclass(frozen=True)
class SourceFile:
    """An original file, as it was when it was packed."""

    path: str  # below the root of the dataset, with forward slashes
    size: int  # in bytes
    mtime_ns: int  # time of the last change

    @classmethod
    def of(cls, root: Path, path: str) -> "SourceFile":
        """Describe a file below the root of a dataset as it is now."""
        stat = (root / path).stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Entry:
    """A packed image: (H, W, 3) bytes in BGR, then (H, W) bytes of the label map."""

    offset: int  # in the file of pixels
    shape: tuple[int, int]  # height and width
    crc32: int
    image: SourceFile
    label: SourceFile

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.shape[0] * self.shape[1] * 4

    @property
    def end(self) -> int:
        """Position behind the last byte."""
        return self.offset + self.size


class PackedImage(NamedTuple):
    """Where a dataset finds an image."""

    path: str  # the file of pixels
    version: tuple[int, int, int]  # its version_of() when the dataset was built
    offset: int  # in bytes
    shape: tuple[int, int]  # height and width


def write_index(pack: Path, entries: dict[str, Entry], *, complete: bool) -> None:
    """Write the index atomically; entries are by the image's path below the root."""
    listed = [asdict(entries[name]) for name in sorted(entries)]
    name, version = _FORMAT
    content = {"format": name, "version": version, "complete": complete, "entries": listed}
    with atomic_write(pack / INDEX) as temporary:
        temporary.write_text(json.dumps({**content, "crc32": _checksum(content)}) + "\n")


def read_index(pack: str | Path, *, unfinished: bool = False) -> dict[str, Entry]:
    """Read the index and compare it with the file of pixels.

    Returns:
        The entries by the image's path below the root of the dataset.

    Raises:
        DataError: The packed dataset is missing, corrupted or of another version, or its packing
            was interrupted, unless ``unfinished`` ones are accepted.
    """
    path, pixels = Path(pack) / INDEX, Path(pack) / PIXELS
    if not path.is_file():
        raise DataError(f"{pack} has no {INDEX}: create it with `{PACK_COMMAND}`")
    again = f"remove {pack} and create it again with `{PACK_COMMAND}`"
    try:
        content = json.loads(path.read_text())
        found = (content["format"], content["version"])
        if found != _FORMAT:
            raise DataError(f"{path} is {found}; expected {_FORMAT}: {again}")
        # a position that is off by a bit would give other pixels without an error
        if content.pop("crc32") != _checksum(content):
            raise DataError(f"{path} is corrupted (its checksum differs): {again}")
        complete, entries = content["complete"], [_entry(item) for item in content["entries"]]
        end = _end_of(entries)
    except DataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} is corrupted ({error!r}): {again}") from error
    if not (complete or unfinished):
        raise DataError(
            f"{pack} is unfinished ({len(entries)} images so far): resume it with `{PACK_COMMAND}`"
        )
    length = pixels.stat().st_size if pixels.is_file() else 0
    if end > length:
        raise DataError(
            f"{pixels} has {length} bytes; expected {end} or more, it is truncated: {again}"
        )
    return {entry.image.path: entry for entry in entries}


def _checksum(content: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(content).encode())


def _entry(item: dict[str, Any]) -> Entry:
    height, width = item["shape"]
    image, label = SourceFile(**item["image"]), SourceFile(**item["label"])
    return Entry(item["offset"], (height, width), item["crc32"], image, label)


def _end_of(entries: list[Entry]) -> int:
    """Return the end of the last entry; reject entries that overlap or are empty."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < end or min(entry.shape) < 1:
            raise ValueError(f"{entry.image.path} overlaps another image or is empty")
        end = entry.end
    return end


def attach_pack(items: Iterable[dict], pack: str | Path, data_root: str | None) -> None:
    """Add ``packed``, a :class:`PackedImage`, to the samples of a dataset.

    Sizes and times of the original files, ``img_path`` and ``seg_map_path``, must be those of the
    packed ones; ``verify_pack`` compares the pixels.

    Raises:
        DataError: The packed dataset is missing, unfinished, stale or corrupted.
    """
    pixels, root = str(Path(pack) / PIXELS), Path(data_root or ".")
    # before the index: pixels that are written between the two are then refused when read
    version = version_of(pixels) if osp.isfile(pixels) else (0, 0, 0)
    entries = read_index(pack)
    absent, stale = [], []
    for item in items:
        files = (osp.relpath(item[key], root) for key in ("img_path", "seg_map_path"))
        paths = [Path(file).as_posix() for file in files]
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
    """Read every image, compare its checksum, and return a line for each corrupted image.

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
