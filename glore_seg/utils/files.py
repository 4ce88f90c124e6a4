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
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image

from glore_seg.errors import ConfigError, OutputError

Item = TypeVar("Item")
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


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write an image aside and rename it.

    Args:
        path: The final name.
        image: Shape (H, W) or (H, W, 3) with channels red, green, blue; uint8.

    Raises:
        OutputError: If OpenCV can't write it.
    """
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    with atomic_write(path) as aside:
        if not cv2.imwrite(str(aside), image):
            raise OutputError(f"cannot write {path}: is the disk full, or the folder read-only?")


def read_png(path: Path, *, mend: str) -> np.ndarray:
    """Read an image as it is stored.

    Args:
        path: The file.
        mend: What to do where it can't be read, for the message.

    Returns:
        Shape (H, W), or (H, W, 3) with channels red, green, blue; uint8 or uint16.

    Raises:
        ConfigError: It is missing.
        ConfigError: It is no image.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is missing; expected an image there: {mend}")
    image = decode_file(path, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ConfigError(f"{path} cannot be read as an image; expected a PNG: {mend}")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if image.ndim == 3 else image


def decode_file(path: str | Path, flags: int) -> np.ndarray | None:
    """Read an image by OpenCV, after Pillow's look at its header.

    OpenCV makes room for whatever size a header declares, gigabytes for a file of a few bytes.

    Args:
        path: The file.
        flags: OpenCV's, such as ``cv2.IMREAD_COLOR``.

    Returns:
        The pixels, or None for what is no whole image, or one of more than twice
        ``PIL.Image.MAX_IMAGE_PIXELS``.
    """
    try:
        with Image.open(path):
            return cv2.imread(str(path), flags)
    except Exception:  # decoders raise whatever they stumble over
        return None


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


def track(
    items: Iterable[Item], total: int | None, description: str, *, show: bool = True
) -> Iterator[Item]:
    """Pass items on under a bar that shows the count and the time left.

    Args:
        items: What to pass on.
        total: How many there are; None where nobody knows.
        description: What the bar says.
        show: Whether to show the bar.

    Yields:
        The items.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, disable=not show) as progress:
        yield from progress.track(items, total=total, description=description)
