"""The index of a pack: which images it holds and where, made from which files."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write

INDEX = "pack.json"
"""Name of the index in the folder of a pack."""

PIXELS = "pixels.u8"
"""Name of the file with the bytes of all images and labels."""

PACK_COMMAND = "python tools/dataset_converters/pack.py DATA_ROOT PACK"
"""What makes a pack, for messages."""

_FORMAT = "glore_seg pack"
_VERSION = 2


@dataclass(frozen=True)
class Source:
    """A file that went into a pack.

    Args:
        path: Its path below the root of the dataset, with forward slashes.
        size: Its bytes.
        mtime_ns: When it was last changed, in ns.
        crc32: Checksum of its bytes.
    """

    path: str
    size: int
    mtime_ns: int
    crc32: int

    def fits(self, path: Path) -> bool:
        """Whether a file has the size and the time of this one."""
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True)
class Entry:
    """An image of a pack: (H, W, 3) bytes in blue, green, red, then (H, W) bytes of the label.

    Args:
        offset: Where it begins in the file of pixels.
        shape: Height and width.
        crc32: Checksum of its bytes.
        image: The file that the image came from.
        label: The file that the label came from, or None where there is none.
    """

    offset: int
    shape: tuple[int, int]
    crc32: int
    image: Source
    label: Source | None

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.shape[0] * self.shape[1] * (3 if self.label is None else 4)

    @property
    def end(self) -> int:
        """Where it ends in the file of pixels."""
        return self.offset + self.size


def write_index(pack: Path, entries: dict[str, Entry], *, complete: bool) -> None:
    """Write the index of a pack, whole or not at all.

    Args:
        pack: Folder of the pack.
        entries: By the image's path below the root of the dataset.
        complete: Whether all that was asked for is there.
    """
    listed = [asdict(entries[name]) for name in sorted(entries)]
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "complete": complete,
        "crc32": _checksum(complete, listed),
        "entries": listed,
    }
    with atomic_write(pack / INDEX) as aside:
        aside.write_text(json.dumps(content) + "\n")


def read_index(pack: str | Path, *, unfinished: bool = False) -> dict[str, Entry]:
    """Read the index of a pack and check it against the file of pixels.

    Args:
        pack: Folder of the pack.
        unfinished: Whether a pack whose making was interrupted will do.

    Returns:
        The entries by the image's path below the root of the dataset.

    Raises:
        DataError: If there is no pack.
        DataError: If it is unfinished, of another version or damaged.
    """
    path, pixels = Path(pack) / INDEX, Path(pack) / PIXELS
    if not path.is_file():
        raise DataError(
            f"{pack} is no pack (no {INDEX} in it): make it with `{PACK_COMMAND}`, or leave pack "
            "out of the config"
        )
    try:
        content = json.loads(path.read_text())
        found = (content["format"], content["version"])
        entries = [_entry(item) for item in content["entries"]] if found[1] == _VERSION else []
        complete = content["complete"]
        if found[1] == _VERSION and content["crc32"] != _checksum(complete, content["entries"]):
            raise DataError("its checksum differs")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error!r}): {_remake(pack)}") from error
    if found != (_FORMAT, _VERSION):
        raise DataError(f"{path} is {found}; expected {(_FORMAT, _VERSION)}: {_remake(pack)}")
    if not (complete or unfinished):
        raise DataError(
            f"{pack} is unfinished ({len(entries)} images so far): `{PACK_COMMAND}` goes on"
        )
    _check_places(entries, pixels, pack)
    return {entry.image.path: entry for entry in entries}


def _checksum(complete: bool, listed: list[Any]) -> int:
    """Of what an index says: a place that is off by a bit would give other pixels in silence."""
    return zlib.crc32(json.dumps([complete, listed]).encode())


def _check_places(entries: list[Entry], pixels: Path, pack: str | Path) -> None:
    """Refuse entries that overlap or lie outside the file."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < end:
            raise DataError(
                f"{pack} is damaged ({entry.image.path} overlaps another): {_remake(pack)}"
            )
        end = entry.end
    length = pixels.stat().st_size if pixels.is_file() else 0
    if end > length:
        raise DataError(
            f"{pixels} has {length} bytes; expected {end} or more, it is cut short: {_remake(pack)}"
        )


def _remake(pack: str | Path) -> str:
    return f"remove {pack} and make it again with `{PACK_COMMAND}`"


def _entry(item: dict[str, Any]) -> Entry:
    height, width = (_count(side) for side in item["shape"])
    if not height or not width:
        raise DataError(f"shape {item['shape']}")
    return Entry(
        offset=_count(item["offset"]),
        shape=(height, width),
        crc32=_count(item["crc32"]),
        image=_source(item["image"]),
        label=None if item["label"] is None else _source(item["label"]),
    )


def _source(item: dict[str, Any]) -> Source:
    path = item["path"]
    if not isinstance(path, str) or PurePosixPath(path).is_absolute() or ".." in path.split("/"):
        raise DataError(f"path {path!r}")
    return Source(path, _count(item["size"]), _count(item["mtime_ns"]), _count(item["crc32"]))


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise DataError(f"{value!r} where a count was expected")
    return value
