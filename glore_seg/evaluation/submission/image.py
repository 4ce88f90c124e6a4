"""Checks of one predicted image.

A submission holds label ids, 0 to 33, of which 19 are evaluated. A network predicts train ids, 0 to
18. These are label ids too, so the server accepts them and scores them near zero.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from cityscapesscripts.helpers.labels import labels
from PIL import Image

from glore_seg.evaluation.submission.report import Finding

_NAMES = {label.id: label.name for label in labels if label.id >= 0}
_EVALUATED = frozenset(label.id for label in labels if not label.ignoreInEval)
_NUM_TRAIN_IDS = len(_EVALUATED)
_MIN_TRAIN_ID_SHARE = 0.1  # of pixels whose id is not evaluated
_MAX_LISTED = 4


def check_image(
    name: str, data: bytes, size: tuple[int, int]
) -> tuple[np.ndarray | None, list[Finding], list[Finding]]:
    """Check an image of label ids: a complete PNG, one channel of 8 bits, its size, its ids.

    An image of another size is not decoded.

    Args:
        name: File name for the messages.
        data: The PNG.
        size: Expected (width, height) in pixels.

    Returns:
        The label ids, (H, W), uint8, or None if there is an error; the errors; the warnings.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                found, mode = image.size, image.mode
                transparent = "transparency" in image.info
                if found != size:
                    return None, [_size_error(name, found, size)], []
                image.verify()  # checksums
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                pixels = np.asarray(image)
                palette = image.getpalette() if mode == "P" else None
    except Exception as error:  # Pillow raises exceptions of many classes for corrupted files
        return None, [Finding("corrupted", name, f"{error}; expected a complete PNG")], []
    errors, remarks = [], []
    colors = np.array(palette or [], dtype=int).reshape(-1, 3)
    colored = bool((colors != np.arange(len(colors))[:, None]).any())
    if mode not in ("L", "P") or transparent or colored:
        what = "a palette of colors" if colored else f"mode {mode}{' and alpha' * transparent}"
        message = f"has {what}; expected one gray channel of 8 bits: save the ids as uint8"
        errors.append(Finding("mode", name, message))
    elif mode == "P":
        message = "has a palette that maps each id to its gray value, as mmseg writes it: accepted"
        remarks.append(Finding("palette", name, message))
    if pixels.dtype == np.uint8 and pixels.ndim == 2:
        id_errors, id_warnings = check_ids(name, pixels)
        errors += id_errors
        remarks += id_warnings
    return None if errors else pixels, errors, remarks


def check_ids(name: str, label_ids: np.ndarray) -> tuple[list[Finding], list[Finding]]:
    """Check the ids of an image.

    Train ids are recognized by this: no pixel has an id of 19 to 33, which sky, cars, people and
    most vegetation and poles have, and at least a tenth of the pixels has an id of 0 to 18 that is
    not evaluated. Predicted label ids have none of these.

    Args:
        name: File name for the messages.
        label_ids: (H, W), uint8.

    Returns:
        The errors and the warnings.
    """
    counts = np.bincount(label_ids.ravel())
    present = np.flatnonzero(counts).tolist()
    unknown = [i for i in present if i not in _NAMES]
    ignored = [i for i in present if i in _NAMES and i not in _EVALUATED]
    share = int(counts[ignored].sum()) / label_ids.size
    high = any(_NUM_TRAIN_IDS <= i <= max(_NAMES) for i in present)
    errors, remarks = [], []
    if not high and share >= _MIN_TRAIN_ID_SHARE:
        message = (
            f"seems to hold train ids: no id of {_NUM_TRAIN_IDS} to {max(_NAMES)}, and {share:.0%} "
            f"of the pixels have ids that are not evaluated ({_listed(ignored)}); expected label "
            "ids: 7 for road, 8 for sidewalk, 11 for building and so on"
        )
        errors.append(Finding("train ids", name, message))
    elif ignored:
        message = (
            f"{share:.2%} of the pixels have ids that are not evaluated ({_listed(ignored)}) and "
            "count as wrong where the ground truth has a class"
        )
        remarks.append(Finding("not evaluated", name, message))
    if unknown:
        message = (
            f"holds {_listed(unknown)}, which Cityscapes does not have; expected label ids of 0 to "
            f"{max(_NAMES)}"
        )
        errors.append(Finding("unknown ids", name, message))
    return errors, remarks


def check_array(
    name: str, label_ids: np.ndarray, size: tuple[int, int]
) -> tuple[list[Finding], list[Finding]]:
    """:func:`check_ids` and the check of the size, for label ids that are not encoded yet."""
    found = label_ids.shape[1], label_ids.shape[0]
    if found != size:
        return [_size_error(name, found, size)], []
    return check_ids(name, label_ids)


def _size_error(name: str, found: tuple[int, int], size: tuple[int, int]) -> Finding:
    shapes = [f"{width} x {height}" for width, height in (found, size)]
    message = f"is {shapes[0]} (width x height); expected {shapes[1]}: predict at full size"
    return Finding("size", name, message)


def _listed(ids: list[int]) -> str:
    shown = ", ".join(f"{i} {_NAMES[i]}" if i in _NAMES else str(i) for i in ids[:_MAX_LISTED])
    return shown + (f" and {len(ids) - _MAX_LISTED} more" if len(ids) > _MAX_LISTED else "")
