"""One process at a time writes to a pack."""

from contextlib import AbstractContextManager
from pathlib import Path

from glore_seg.utils.locking import locked

LOCK = "pack.lock"
"""Name of the empty file in the folder of a pack that its writer holds locked."""


def sole_writer(pack: Path) -> AbstractContextManager[None]:
    """Hold the lock of a pack, see :func:`glore_seg.utils.locking.locked`.

    Args:
        pack: Folder of the pack, which exists.

    Raises:
        BlockingIOError: If another process holds the lock.
    """
    return locked(pack / LOCK, doing=f"packing into {pack}")
