"""Decode one picture with its label and write it to its place in a pack."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2

from glore_seg.datasets.packed.index import Entry, Source
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations
from glore_seg.errors import DataError
from glore_seg.utils.files import decode_file, explain_write_error


class Task(NamedTuple):
    """A picture to pack.

    Args:
        picture: Its path below the root of the data set.
        label: That of its label, or None.
        shape: Height and width that its header tells.
        offset: Its place in the file of pixels.
        before: What the index said of it, where it had been packed.
    """

    picture: str
    label: str | None
    shape: tuple[int, int]
    offset: int
    before: Entry | None


def pack_one(root: Path, pixels: Path, labels: LoadCheckedAnnotations, task: Task) -> Entry:
    """Write a picture to its place; where its files were only touched, note their new times.

    Args:
        root: Root of the data set.
        pixels: File of pixels, long enough.
        labels: Reads and checks the label.
        task: What to write and where.

    Returns:
        Its entry in the index.

    Raises:
        OSError: If the disk is full or read-only.
        DataError: If the picture or its label can't be read or doesn't fit.
    """
    picture = _source(root, task.picture)
    label = None if task.label is None else _source(root, task.label)
    if task.before is not None and task.before.offset == task.offset:
        touched = replace(task.before, picture=picture, label=label)
        if _without_times(touched) == _without_times(task.before):
            return touched
    content = _decoded(root, labels, task)
    with explain_write_error(pixels), pixels.open("r+b") as file:
        file.seek(task.offset)
        file.write(content)
    return Entry(task.offset, task.shape, zlib.crc32(content), picture, label)


def _without_times(entry: Entry) -> Entry:
    label = entry.label and replace(entry.label, mtime_ns=0)
    return replace(entry, picture=replace(entry.picture, mtime_ns=0), label=label)


def _source(root: Path, path: str) -> Source:
    stat = (root / path).stat()
    return Source(path, stat.st_size, stat.st_mtime_ns, zlib.crc32((root / path).read_bytes()))


def _decoded(root: Path, labels: LoadCheckedAnnotations, task: Task) -> bytes:
    picture = decode_file(root / task.picture, cv2.IMREAD_COLOR)
    if picture is None or picture.shape[:2] != task.shape:
        raise DataError(f"{root / task.picture} cannot be read as a picture: get it again")
    if task.label is None:
        return picture.tobytes()
    paths = {"img_path": str(root / task.picture), "seg_map_path": str(root / task.label)}
    return picture.tobytes() + labels.read({**paths, "ori_shape": picture.shape}).tobytes()
