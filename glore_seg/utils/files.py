"""Files written aside and renamed: what has its name is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glore_seg.errors import ConfigError, OutputError

_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_UNFINISHED = re.compile(r"\..+\.(?P<pid>\d+)\.unfinished(\.\w+)?")


@contextmanager
def atomic_write(path: str | Path, *, sync: bool = False) -> Iterator[Path]:
    """Give a name to write to; rename it to ``path`` at the end, remove it after an error.

    Args:
        path: The final name. Its folder is made where missing.
        sync: Whether the disk must have it before the old file is gone, so that a lost current
            leaves one of the two.

    Yields:
        A name of the same ending, in the same folder.

    Raises:
        OutputError: The disk is full or read-only; a file of that name is as it was.
    """
    path = Path(path)
    # the suffix of a dataset ("_leftImg8bit.png") must not match an unfinished file
    aside = path.with_name(f".{path.stem}.{os.getpid()}.unfinished{path.suffix}")
    try:
        with explain_write_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield aside
            if sync:
                _sync(aside)
            aside.replace(path)
            if sync:
                _sync(path.parent)
    finally:
        with suppress(OSError):  # of a read-only disk, where there is nothing to remove
            aside.unlink()


@contextmanager
def explain_write_error(path: Path) -> Iterator[None]:
    """Have the error of a full or read-only disk say which file could not be written.

    Args:
        path: It.

    Raises:
        OutputError: As within, with another text.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        raise type(error)(
            error.errno,
            f"cannot write {path} ({os.strerror(error.errno)}): make room or give write "
            "permission, then repeat the command",
        ) from error


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_write_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder to write to; rename it to ``path`` at the end, remove it after an error.

    Args:
        path: The final name. Folders above it are made where missing.
        overwrite: Whether ``path`` may be there: files of the same names in it are then replaced.

    Yields:
        The folder, beside ``path``.

    Raises:
        OutputError: ``path`` is there.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or remove it")
    aside = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    shutil.rmtree(aside, ignore_errors=True)  # of a killed process that had this one's number
    aside.mkdir(parents=True)
    try:
        yield aside
        if path.is_dir():
            for file in aside.iterdir():
                file.replace(path / file.name)
        else:
            aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes were writing aside in a folder, and nothing else.

    Args:
        folder: It may be missing.
    """
    for path in folder.glob(".*.unfinished*"):
        found = _UNFINISHED.fullmatch(path.name)
        if found is None or _is_alive(int(found["pid"])):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    """Whether another process of that number is there; this one has not begun to write."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return pid != os.getpid()


def read_lines(path: str | Path) -> list[str]:
    """Read lines of text in UTF-8, with or without the mark that spreadsheets begin with.

    Raises:
        ConfigError: It is no such text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is no text ({error}); expected UTF-8: save it as such"
        ) from error


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write lines of text aside and rename the file; each line gets its end."""
    with atomic_write(path) as aside:
        aside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def sha256_of(path: str | Path) -> str:
    """Hash a file's bytes, in hexadecimal digits."""
    found = hashlib.sha256()
    with Path(path).open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            found.update(piece)
    return found.hexdigest()


def corruption_reason(path: str | Path) -> str | None:
    """Say why a checkpoint of torch is not whole; None if it is.

    torch writes an archive with a checksum (CRC-32) of every part, which its reader does not look
    at; all are compared. It compresses nothing: what is compressed may unpack to any size.

    Args:
        path: The file.
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
