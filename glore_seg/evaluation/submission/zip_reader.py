"""A zip archive from an untrusted source, read within bounded memory and without unpacking it."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from glore_seg.errors import DataError
from glore_seg.evaluation.submission.entry import Entry, ReadError
from glore_seg.evaluation.submission.report import Finding
from glore_seg.evaluation.submission.zip_layout import layout_faults

_MAX_READ = 4 << 20  # bytes at once, and so of the table of contents: about 40,000 files
_PIECE = 1 << 20
_EMPTY_DEFLATED = 2  # bytes
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x40
_BROKEN = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,  # of which is a name that is not in its declared encoding
    zlib.error,
)


@contextmanager
def open_zip(
    path: Path, *, max_bytes: int, max_entries: int
) -> Iterator[tuple[list[Entry], list[Finding]]]:
    """Open an archive and look at its table of contents.

    Args:
        path: The file.
        max_bytes: The longest file within that is read.
        max_entries: The most files that are looked at.

    Yields:
        Its files, folders left out unless something is wrong with them, and what is wrong with
        the archive as a whole.
    """
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(_BoundedFile(file))
        except _BROKEN as error:
            message = f"is no whole zip archive ({error}): pack the images again"
            yield [], [Finding("archive", path.name, message)]
            return
        with archive:
            infos = archive.infolist()
            if len(infos) > max_entries:
                message = (
                    f"holds {len(infos)} files; at most {max_entries} are looked at: pack only "
                    "the images"
                )
                yield [], [Finding("archive", path.name, message)]
                return
            entries = [_entry(archive, info, max_bytes) for info in infos]
            kept = [
                entry
                for entry, info in zip(entries, infos, strict=True)
                if entry.fault or not info.is_dir()
            ]
            yield kept, layout_faults(file, path.name, infos, archive.start_dir)


class _BoundedFile:
    """A file that refuses to read much at once: a table of contents names its own length."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_READ:
            raise DataError(f"its table of contents claims {size} bytes, more than {_MAX_READ}")
        return self._file.read(_MAX_READ if size < 0 else size)


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> Entry:
    name = info.orig_filename
    message = _name_fault(name) or _kind_fault(info) or _size_fault(info, max_bytes)
    fault = Finding("hostile", name, message) if message else None
    return Entry(name, fault, lambda: _read(archive, info))


def _name_fault(name: str) -> str | None:
    parts = name.rstrip("/").split("/")
    if name.startswith("/"):
        what = "is an absolute path"
    elif ".." in parts:
        what = "leads out of its folder by '..'"
    elif "\\" in name:
        what = "has backslashes"
    elif re.match(r"[A-Za-z]:", name):
        what = "has a drive letter"
    elif "" in parts or "." in parts or not name.isprintable():
        what = "is no plain path"
    else:
        return None
    return f"{what}; expected a relative path with '/': pack the images again"


def _kind_fault(info: zipfile.ZipInfo) -> str | None:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "is a link; expected a file: pack what it leads to"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder: leave it out"
    if info.is_dir() and (info.file_size or info.compress_size > _EMPTY_DEFLATED):
        return f"is a folder with {info.compress_size} bytes of data: pack the images again"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; expected no password: pack the images without"
    if info.compress_type not in _METHODS:
        return (
            f"is compressed by method {info.compress_type}; expected 0 (stored) or 8 (deflated), "
            "which everything reads: pack the images again"
        )
    return None


def _size_fault(info: zipfile.ZipInfo, max_bytes: int) -> str | None:
    if info.file_size > max_bytes:
        return f"unpacks to {info.file_size} bytes; an image has at most {max_bytes}: leave it out"
    return None


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read a file; zipfile stops at its declared length and compares the checksum."""
    try:
        with archive.open(info) as file:
            data = b"".join(iter(lambda: file.read(_PIECE), b""))
    except _BROKEN as error:
        raise ReadError(f"can't be read from the archive ({error})") from error
    if len(data) != info.file_size:
        raise ReadError(f"unpacks to {len(data)} bytes, but declares {info.file_size}")
    return data
