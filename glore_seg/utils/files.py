"""Files: atomic writes (a file that has its name is complete), locks, text and checksums."""

from __future__ import annotations

import errno
import hashlib
import importlib
import os
import re
import secrets
import shutil
import socket
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from glore_seg.errors import DataError, OutputError

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

_WINDOWS = os.name == "nt"
_LOCKED_BYTE = 1 << 30  # of a file on Windows, where nobody else reads or writes
_CANNOT_WRITE = (errno.EACCES, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_TEMPORARY = re.compile(r"\..+\.(?P<host>[\w-]+)\.(?P<pid>\d+)\.[0-9a-f]{8}\.unfinished(\.\w+)?")


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raise an :class:`OutputError` for a folder, and a file unless it is to be replaced."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; expected a file: give another name")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or --overwrite to replace it")


def temporary_path(path: Path) -> Path:
    """A hidden path beside ``path``, with its suffix, that no other process on any machine uses."""
    # the suffix of a dataset ("_leftImg8bit.png") must not match an unfinished file
    name = f".{path.stem}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.unfinished{path.suffix}"
    return path.with_name(name)


@contextmanager
def atomic_write(path: str | Path, *, sync: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to ``path`` at the end, remove it on an error.

    It has the same suffix, in the same folder, which is created where missing. ``sync`` waits for
    the disk, so that a power failure leaves the old file or the new.

    Raises:
        OutputError: The disk is full or the folder read-only; an old file is unchanged.
    """
    path = Path(path)
    temporary = temporary_path(path)
    try:
        with explain_write_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if sync:
                fsync(temporary)
            temporary.replace(path)
            if sync:
                fsync(path.parent)
    finally:
        with suppress(OSError):  # of a read-only disk, where there is nothing to remove
            temporary.unlink()


@contextmanager
def explain_write_error(path: Path) -> Iterator[None]:
    """Raise an :class:`OutputError` that names ``path`` for a full or read-only disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        explained = OutputError(
            f"cannot write {path} ({os.strerror(error.errno)}): make room or give write "
            "permission, then run the command again"
        )
        explained.errno = error.errno
        raise explained from error


def fsync(path: Path) -> None:
    """Wait until the disk has a file, or (not on Windows) the names in a folder."""
    if _WINDOWS and path.is_dir():  # which opens no folders
        return
    descriptor = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_write_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty temporary folder; rename it to ``path`` at the end, remove it on an error.

    With ``overwrite``, ``path`` may exist: files of the same names in it are replaced.

    Raises:
        OutputError: ``path`` exists.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or remove it")
    temporary = temporary_path(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.is_dir():
            for file in temporary.iterdir():
                file.replace(path / file.name)
        else:
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files that killed processes of this machine left in a folder.

    Call it before this process writes there: files of its own process id are taken for those of a
    killed process that had the same.
    """
    for path in folder.glob(".*.unfinished*"):
        found = _TEMPORARY.fullmatch(path.name)
        if found is None or found["host"] != _host() or _is_alive(int(found["pid"])):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _host() -> str:
    """Name of this machine, of letters, digits and hyphens."""
    return re.sub(r"[^\w-]", "-", socket.gethostname())


def _is_alive(pid: int) -> bool:
    """Whether another process of that number exists; on Windows any might, as signal 0 ends it."""
    if _WINDOWS:
        return pid != os.getpid()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return pid != os.getpid()


@contextmanager
def locked(file: Path, *, doing: str) -> Iterator[BinaryIO]:
    """Hold the lock of a file, which ends with the process, also if it is killed.

    Gives the file, to append to; a process that inherits it holds the lock, too. The file is not
    removed: two processes could then lock two files of its name.

    Raises:
        OutputError: Another process holds the lock, ``doing`` what the message says.
    """
    with file.open("ab") as held:
        try:
            if fcntl is not None:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt: Any = importlib.import_module("msvcrt")
                held.seek(_LOCKED_BYTE)
                msvcrt.locking(held.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError) as error:
            raise OutputError(
                f"another process is {doing}: wait until it ends, or give another folder"
            ) from error
        yield held


def read_lines(path: str | Path) -> list[str]:
    """Read lines of UTF-8 text, with or without a byte order mark.

    Raises:
        DataError: The file is missing or not such text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing; expected a text file: correct the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}): save it as such") from error


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write lines of UTF-8 text atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def sha256_of(path: str | Path) -> str:
    """Hash a file's bytes, in hexadecimal digits."""
    found = hashlib.sha256()
    with Path(path).open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            found.update(piece)
    return found.hexdigest()


def corruption_reason(path: str | Path) -> str | None:
    """Say why a checkpoint of torch is corrupted; None if it is not.

    torch writes an archive with a checksum (CRC-32) of every part, which its reader does not look
    at; all are compared. It compresses nothing: what is compressed may unpack to any size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED:
                    return f"{info.filename!r} is compressed, as torch writes nothing"
            wrong = archive.testzip()
    except Exception as error:  # what a damaged file raises cannot be foreseen
        return str(error) or type(error).__name__
    return None if wrong is None else f"the checksum of {wrong} is another"
