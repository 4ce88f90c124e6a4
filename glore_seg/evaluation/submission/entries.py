"""The files of a submission, from a zip or a folder, read one by one and never unpacked to disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from glore_seg.evaluation.submission.report import Finding
from glore_seg.evaluation.submission.zip_reader import ReadError, open_zip


@dataclass(frozen=True)
class Entry:
    """A file of a submission.

    Args:
        name: Its path within the submission, with ``/`` between folders.
        fault: Why it may not be read, or None.
        read: Gives its bytes.

    ``read`` raises ReadError where the bytes can't be had.
    """

    name: str
    fault: Finding | None
    read: Callable[[], bytes]


@contextmanager
def open_submission(
    path: Path, *, max_bytes: int, max_entries: int
) -> Iterator[tuple[list[Entry], list[Finding]]]:
    """Open a zip or a folder.

    Args:
        path: The zip file or the folder.
        max_bytes: The longest file that is read.
        max_entries: The most files that are looked at.

    Yields:
        The files, and what is wrong with the whole.

    Raises:
        FileNotFoundError: There is neither a file nor a folder.
    """
    if path.is_dir():
        yield _folder_entries(path, max_bytes, max_entries)
    elif path.is_file():
        with open_zip(path, max_bytes=max_bytes, max_entries=max_entries) as (members, faults):
            yield [Entry(m.name, m.fault, m.read) for m in members], faults
    else:
        raise FileNotFoundError(f"{path} does not exist; expected a zip or a folder of pictures")


def _folder_entries(
    root: Path, max_bytes: int, max_entries: int
) -> tuple[list[Entry], list[Finding]]:
    entries: list[Entry] = []
    for folder, folders, files in os.walk(root):  # which follows no links
        folders.sort()
        for name in sorted([*files, *(f for f in folders if (Path(folder) / f).is_symlink())]):
            if len(entries) == max_entries:
                message = f"holds more than {max_entries} files: leave only the pictures in it"
                return [], [Finding("archive", str(root), message)]
            path = Path(folder) / name
            entries.append(_file_entry(path, path.relative_to(root).as_posix(), max_bytes))
    return entries, []


def _file_entry(path: Path, name: str, max_bytes: int) -> Entry:
    status = path.lstat()
    message = None
    if stat.S_ISLNK(status.st_mode):
        message = "is a link; expected a file: copy what it leads to"
    elif not stat.S_ISREG(status.st_mode):
        message = "is neither a file nor a folder: remove it"
    elif status.st_size > max_bytes:
        message = f"has {status.st_size} bytes; a picture has at most {max_bytes}: remove it"

    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ReadError(f"can't be read ({error.strerror})") from error

    return Entry(name, Finding("hostile", name, message) if message else None, read)
