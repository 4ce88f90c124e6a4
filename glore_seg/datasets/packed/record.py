"""Decode one image with its label and write it to its place in a pack."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from glore_seg.datasets.packed.index import Entry, Source
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations
from glore_seg.errors import DataError
from glore_seg.utils.files import explain_write_error
from glore_seg.utils.image_io import decode_image


class Task(NamedTuple):
    """An image to pack.

    Args:
        image: Its path below the root of the dataset.
        label: That of its label, or None.
        shape: Height and width that its header tells.
        offset: Its place in the file of pixels.
        before: What the index said of it, where it had been packed.
    """

    image: str
    label: str | None
    shape: tuple[int, int]
    offset: int
    before: Entry | None


def pack_one(root: Path, pixels: Path, labels: LoadCheckedAnnotations, task: Task) -> Entry:
    """Write an image to its place; where its files were only touched, note their new times.

    Args:
        root: Root of the dataset.
        pixels: File of pixels, long enough.
        labels: Reads and checks the label.
        task: What to write and where.

    Returns:
        Its entry in the index.

    Raises:
        OSError: If the disk is full or read-only.
        DataError: If the image or its label can't be read or doesn't fit.
    """
    image = _source(root, task.image)
    label = None if task.label is None else _source(root, task.label)
    if task.before is not None and task.before.offset == task.offset:
        touched = replace(task.before, image=image, label=label)
        if _without_times(touched) == _without_times(task.before):
            return touched
    content = _decoded(root, labels, task)
    with explain_write_error(pixels), pixels.open("r+b") as file:
        file.seek(task.offset)
        file.write(content)
    return Entry(task.offset, task.shape, zlib.crc32(content), image, label)


def _without_times(entry: Entry) -> Entry:
    label = entry.label and replace(entry.label, mtime_ns=0)
    return replace(entry, image=replace(entry.image, mtime_ns=0), label=label)


def _source(root: Path, path: str) -> Source:
    stat = (root / path).stat()
    return Source(path, stat.st_size, stat.st_mtime_ns, zlib.crc32((root / path).read_bytes()))


def _decoded(root: Path, labels: LoadCheckedAnnotations, task: Task) -> bytes:
    path = root / task.image
    image = decode_image(path.read_bytes(), name=str(path), channel_order="bgr")
    if image.shape[:2] != task.shape:
        raise DataError(f"{path} changed while it was packed: repeat the command")
    if task.label is None:
        return image.tobytes()
    paths = {"img_path": str(root / task.image), "seg_map_path": str(root / task.label)}
    return image.tobytes() + labels.read({**paths, "ori_shape": image.shape}).tobytes()
