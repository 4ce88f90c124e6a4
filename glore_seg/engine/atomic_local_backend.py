"""mmengine's storage on local disks, with files that are whole or not there."""

import os
from collections.abc import Iterator
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from glore_seg.errors import OutputError
from glore_seg.utils.files import atomic_write

NAME = "atomic_local"
_PIECE = 1 << 24  # bytes


class AtomicLocalBackend(LocalBackend):
    """Writes aside, has the disk keep it, reads it back, and renames.

    A process that is killed, a full disk or a lost current leaves the old file of that name, or
    none, and never a part. ``backend_args=dict(backend="atomic_local")`` picks it.
    """

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Write a file.

        Args:
            obj: Its bytes.
            filepath: Its name.

        Raises:
            OutputError: It can't be written, or reads back as something else; a file of that name is
                as it was.
        """
        path = Path(filepath)
        view = memoryview(obj)
        try:
            with atomic_write(path, sync=True) as aside:
                with aside.open("wb") as file:
                    file.write(view)
                    file.flush()
                    os.fsync(file.fileno())
                    if hasattr(os, "posix_fadvise"):  # else memory would be compared with itself
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                if not _same(aside, view):
                    raise OutputError(f"{path} reads back other than written: is the disk failing?")
        except OSError as error:
            if error.errno is None:
                raise
            raise type(error)(error.errno, _what_to_do(path, len(view), error.errno)) from error

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write a text, as :meth:`put` does."""
        self.put(obj.encode(encoding), filepath)


def _same(path: Path, wanted: memoryview) -> bool:
    place = 0
    for piece in _pieces(path):
        if piece != wanted[place : place + len(piece)]:
            return False
        place += len(piece)
    return place == len(wanted)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _what_to_do(path: Path, size: int, number: int) -> str:
    try:
        found = os.statvfs(path.parent)
        free = f", {found.f_bavail * found.f_frsize / 1e6:.1f} MB are free"
    except OSError:
        free = ""
    return (
        f"cannot write {path} ({os.strerror(number)}): {size / 1e6:.1f} MB are needed{free}. Files "
        "written before are whole: make room or give write permission, then go on with --resume"
    )


register_backend(NAME, AtomicLocalBackend, force=True)
