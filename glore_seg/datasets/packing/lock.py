"""One process at a time writes to a pack."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, parent_process
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


def end_with_parent() -> None:
    """Make this worker end when the process that started it is killed.

    Else it waits for work forever, with the lock that it inherited.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
