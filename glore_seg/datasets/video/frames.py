"""Read chosen frames of a video that is stored as a folder of numbered images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from glore_seg.datasets.video.reading import UnreadableVideoError


def read_images(
    folder: Path, template: str, numbers: Sequence[int]
) -> tuple[list[np.ndarray], str]:
    """Read frames.

    Args:
        folder: Where they lie.
        template: Their names, such as ``"img_{:05}.jpg"``.
        numbers: Which ones, in any order, more than once where need be.

    Returns:
        An image (H, W, 3), RGB, uint8, of the size of the first, for each number, each an array
        of its own; and a line for the log where some are missing or don't decode, in whose place
        the nearest one that does stands, else ``""``.

    Raises:
        UnreadableVideoError: Not one of them can be read.
    """
    wanted = sorted(set(numbers))
    read = {number: _read(folder / template.format(number)) for number in wanted}
    found = {number: image for number, image in read.items() if image is not None}
    if not found:
        first = folder / template.format(wanted[0])
        raise UnreadableVideoError(
            f"{folder}: none of the {len(wanted)} frames can be read, such as {first.name}: get "
            "the folder again, or leave it out of the list"
        )
    note = ""
    if len(found) < len(wanted):
        lost = next(number for number in wanted if number not in found)
        note = (
            f"{folder}: {len(wanted) - len(found)} of {len(wanted)} frames are missing or don't "
            f"decode, such as {template.format(lost)}; the nearest that do stand in for them: get "
            "it again"
        )
    height, width = found[min(found)].shape[:2]
    for number, image in found.items():
        if image.shape[:2] != (height, width):
            found[number] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    nearest = {n: min(found, key=lambda other: abs(other - n)) for n in wanted}
    # Copies: transforms may mirror an image in place, and would mirror a shared one twice.
    return [found[nearest[number]].copy() for number in numbers], note


def _read(path: Path) -> np.ndarray | None:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
    except cv2.error:  # of an empty file
        return None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
