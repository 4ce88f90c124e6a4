"""One process at a time does a thing to a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glore_seg.errors import OutputError


@contextmanager
def locked(file: Path, *, doing: str) -> Iterator[None]:
    """Hold the lock of a file; the system lifts it when the process ends, killed or not.

    The file stays: were it removed, two processes could hold locks of two files of its name.

    Args:
        file: An empty file, made where missing; its folder exists.
        doing: What the others do that are kept out, for the message.

    Raises:
        OutputError: If another process holds the lock.
    """
    with file.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"another process is {doing}: wait until it has ended, or give another folder"
            ) from error
        yield
