"""A lock between processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glore_seg.errors import OutputError


@contextmanager
def locked(file: Path, *, doing: str) -> Iterator[None]:
    """Hold the lock of a file, which ends with the process, also if it is killed.

    The file is not removed: two processes could then lock two files of its name.

    Args:
        file: An empty file, created if missing.
        doing: What the holder of the lock does, for the message.

    Raises:
        OutputError: Another process holds the lock.
    """
    with file.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"another process is {doing}: wait until it ends, or give another folder"
            ) from error
        yield
