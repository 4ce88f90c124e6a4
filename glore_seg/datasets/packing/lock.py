"""One process at a time writes to a pack."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "pack.lock"
"""Name of the empty file in the folder of a pack that its writer holds locked."""


@contextmanager
def sole_writer(pack: Path) -> Iterator[None]:
    """Hold the lock of a pack; the system lifts it when the process ends, killed or not.

    The file stays: were it removed, two processes could hold locks of two files of its name.

    Args:
        pack: Folder of the pack, which exists.

    Raises:
        BlockingIOError: If another process holds the lock.
    """
    with (pack / LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"another process is packing into {pack}: wait until it has ended, or give "
                "another folder"
            ) from error
        yield
