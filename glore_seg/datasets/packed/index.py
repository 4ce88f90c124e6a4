"""The index of a packed dataset: where each image is, and from which files it was packed."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write

INDEX = "pack.json"
"""Name of the index in the folder of a packed dataset."""

PIXELS = "pixels.u8"
"""Name of the file with the bytes of all images and label maps."""

PACK_COMMAND = "python tools/dataset_converters/pack.py DATA_ROOT PACK"
"""Creates a packed dataset, for messages."""

_FORMAT = "glore_seg pack"
_VERSION = 3


@dataclass(frozen=True)
class SourceFile:
    """An original file, as it was when it was packed.

    Args:
        path: Path below the root of the dataset, with forward slashes.
        size: Size in bytes.
        mtime_ns: Time of the last change in ns.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, root: Path, path: str) -> SourceFile:
        """Describe a file below the root of a dataset as it is now."""
        stat = (root / path).stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Entry:
    """A packed image: (H, W, 3) bytes in BGR, then (H, W) bytes of the label map.

    Args:
        offset: Position in the file of pixels.
        shape: Height and width.
        crc32: Checksum of the bytes.
        image: File of the image.
        label: File of the label map.
    """

    offset: int
    shape: tuple[int, int]
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


def write_index(pack: Path, entries: dict[str, Entry], *, complete: bool) -> None:
    """Write the index atomically.

    Args:
        pack: Folder of the packed dataset.
        entries: By the image's path below the root of the dataset.
        complete: Whether packing has finished.
    """
    listed = [asdict(entries[name]) for name in sorted(entries)]
    content = {"format": _FORMAT, "version": _VERSION, "complete": complete, "entries": listed}
    with atomic_write(pack / INDEX) as temporary:
        temporary.write_text(json.dumps({**content, "crc32": _checksum(content)}) + "\n")


def read_index(pack: str | Path, *, unfinished: bool = False) -> dict[str, Entry]:
    """Read the index and compare it with the file of pixels.

    Args:
        pack: Folder of the packed dataset.
        unfinished: Whether to accept a dataset whose packing was interrupted.

    Returns:
        The entries by the image's path below the root of the dataset.

    Raises:
        DataError: The index is missing, unfinished, corrupted or of another version, or the file
            of pixels is truncated.
    """
    path, pixels = Path(pack) / INDEX, Path(pack) / PIXELS
    if not path.is_file():
        raise DataError(
            f"{pack} is not a packed dataset (no {INDEX} in it): create it with `{PACK_COMMAND}`, "
            "or leave pack out of the config"
        )
    again = f"remove {pack} and create it again with `{PACK_COMMAND}`"
    try:
        content = json.loads(path.read_text())
        found = (content["format"], content["version"])
        if found != (_FORMAT, _VERSION):
            raise DataError(f"{path} is {found}; expected {(_FORMAT, _VERSION)}: {again}")
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
