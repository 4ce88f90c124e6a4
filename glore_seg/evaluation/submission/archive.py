"""The files of a submission: a zip or a folder, read one by one and never unpacked; the packing."""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from glore_seg.errors import DataError

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can hold
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zlib.error),
    RuntimeError,  # a password is needed
)


class ArchiveError(DataError):
    """A zip or folder cannot be checked file by file."""


@dataclass(frozen=True)
class SubmissionFile:
    """A file of a submission."""

    name: str  # its path within the submission, with "/" between folders
    unsafe: str | None  # why it is not read
    read: Callable[[], bytes]  # returns its bytes, or raises DataError


@contextmanager
def open_submission(path: Path, max_bytes: int, max_files: int) -> Iterator[list[SubmissionFile]]:
    """List the files, at most ``max_files``, of a zip or a folder; larger ones are not read."""
    with ExitStack() as stack:
        if path.is_dir():
            files = [_folder_file(path, file, max_bytes) for file in _walk(path)]
        elif not path.is_file():
            raise DataError(f"{path} does not exist; expected a zip or a folder of images")
        else:
            try:
                archive = stack.enter_context(zipfile.ZipFile(path))
            except _ZIP_ERRORS as error:
                raise ArchiveError(
                    f"is not a complete zip archive ({error}): pack it again"
                ) from error
            files = [_zip_file(archive, info, max_bytes) for info in archive.infolist()]
            files = [file for file in files if file.unsafe or not file.name.endswith("/")]
        if len(files) > max_files:
            raise ArchiveError(
                f"holds {len(files)} files; expected at most {max_files}: pack only the images"
            )
        yield files


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):  # does not follow links
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield Path(folder) / name


def _folder_file(root: Path, path: Path, max_bytes: int) -> SubmissionFile:
    status = path.lstat()
    unsafe = _why_unsafe(stat.S_IFMT(status.st_mode), status.st_size, max_bytes)
    return SubmissionFile(path.relative_to(root).as_posix(), unsafe, path.read_bytes)


def _zip_file(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> SubmissionFile:
    name = info.orig_filename
    path = PurePosixPath(name)
    unsafe = _why_unsafe(stat.S_IFMT(info.external_attr >> 16), info.file_size, max_bytes)
    if path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":":
        unsafe = "has a path that leads out of the archive; expected a relative path with '/'"
    elif str(path) != name.removesuffix("/") or not name.isprintable():
        unsafe = "is not a plain path: pack the images again"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        unsafe = (
            f"is compressed by method {info.compress_type}; expected 0 (stored) or 8 (deflated): "
            "pack the images again"
        )

    def read() -> bytes:
        try:
            with archive.open(info) as file:
                data = file.read(info.file_size)  # compares the checksum at the end
        except _ZIP_ERRORS as error:
            raise DataError(f"cannot be read from the archive ({error})") from error
        if len(data) != info.file_size:
            raise DataError(f"unpacks to {len(data)} bytes, but declares {info.file_size}")
        return data

    return SubmissionFile(name, unsafe, read)


def _why_unsafe(kind: int, size: int, max_bytes: int) -> str | None:
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device; expected a file"
    if size > max_bytes:
        return f"has {size} bytes; an image has at most {max_bytes}: remove it"
    return None


def pack(images: Iterable[Path], path: Path) -> None:
    """Pack images into a zip, sorted by name, without folders, times and owners.

    The same images give the same bytes. PNGs are compressed already, so they are stored.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for image in sorted(images, key=lambda image: image.name):
            info = zipfile.ZipInfo(image.name, _EARLIEST)
            info.create_system = 3  # Unix, on every system
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, image.read_bytes())
