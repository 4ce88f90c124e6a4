"""A folder of predicted images."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from glore_seg.evaluation.submission.entry import Entry, ReadError
from glore_seg.evaluation.submission.report import Finding


def list_folder(
    root: Path, *, max_bytes: int, max_entries: int
) -> tuple[list[Entry], list[Finding]]:
    """List the files below a folder; links are not followed.

    Args:
        root: The folder.
        max_bytes: The longest file that is read.
        max_entries: The most files that are looked at.

    Returns:
        Its files, and what is wrong with the folder as a whole.
    """
    entries: list[Entry] = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*files, *(f for f in folders if (Path(folder) / f).is_symlink())]):
            if len(entries) == max_entries:
                message = f"holds more than {max_entries} files: leave only the images in it"
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
        message = f"has {status.st_size} bytes; an image has at most {max_bytes}: remove it"

    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ReadError(f"can't be read ({error.strerror})") from error

    return Entry(name, Finding("hostile", name, message) if message else None, read)
