"""What may be wrong with one predicted image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glore_seg.evaluation.submission.label_ids import check_ids
from glore_seg.evaluation.submission.png import (
    CorruptedPngError,
    check_chunks,
    decode,
    read_header,
)
from glore_seg.evaluation.submission.report import Finding

_LARGER = 4


@dataclass
class CheckedImage:
    """An image and what is wrong with it.

    Attributes:
        label_ids: Shape (H, W), uint8; None where there is a fault.
        faults: What the server would refuse or score wrongly.
        warnings: What it takes, but is worth a look.
    """

    label_ids: np.ndarray | None = None
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def max_bytes(size: tuple[int, int]) -> int:
    """Return how long a PNG of a size may be: four channels of 16 bits, not compressed, and room.

    Args:
        size: (width, height) in pixels.
    """
    return 8 * size[0] * size[1] + (1 << 20)


def check_image(name: str, data: bytes, size: tuple[int, int]) -> CheckedImage:
    """Check an image of label ids: whole, one channel of 8 bits, the right size, the right ids.

    An image of more than four times the expected pixels is not decoded.

    Args:
        name: What to call it in the messages.
        data: The PNG.
        size: The expected (width, height) in pixels.
    """
    checked = CheckedImage()

    def fault(kind: str, message: str) -> None:
        checked.faults.append(Finding(kind, name, message))

    try:
        header = read_header(data)
        if header.size != size:
            found, wanted = (f"{width} x {height}" for width, height in (header.size, size))
            fault("size", f"is {found} (width x height); expected {wanted}: predict at full size")
        if header.size[0] * header.size[1] > _LARGER * size[0] * size[1]:
            return checked
        chunks, needed = check_chunks(data, header)
        pixels, colored = decode(needed)
    except CorruptedPngError as error:
        fault("damaged", f"{error}; expected a whole PNG: write it again")
        return checked
    expected = "expected one gray channel of 8 bits with label ids"
    if header.depth != 8:
        fault("mode", f"has {header.depth} bits a channel; {expected}: save it as uint8")
    if header.mode not in ("gray", "palette"):
        fault("mode", f"is {header.mode}, as a colored image is; {expected}: write the ids")
    elif "tRNS" in chunks:
        fault("mode", f"has transparency; {expected}: save it without")
    if header.mode == "palette":
        if colored:
            fault("mode", f"has a palette of colors; {expected}: save it as gray")
        else:
            message = "has a palette that shows each id as its gray, as mmseg writes it: accepted"
            checked.warnings.append(Finding("palette", name, message))
    if pixels.dtype == np.uint8 and pixels.ndim == 2 and header.depth == 8:
        faults, warnings = check_ids(name, np.bincount(pixels.ravel(), minlength=256))
        checked.faults += faults
        checked.warnings += warnings
    if not checked.faults:
        checked.label_ids = pixels
    return checked
