"""Where predictions of several models differ, as boxes: what Fig. 5 highlights in yellow.

Shape legend: H, W sizes of an image; h, w cells of the search grid; R ranges of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from glore_seg.errors import ConfigError

IGNORED = 255
_BOTH_WRONG = 0.3  # weight of a difference that brings nobody nearer to the truth
_THRESHOLD = 0.35  # share of differing pixels from which a cell is worth being in a box
_GRID = 48  # cells along the shorter side, at most
_SMALLEST = 4  # cells along a side of a box
_LARGEST = 0.5  # of the image's sides
_WORTH = 0.1  # of the first box's weight: what a further box must have
_TAKEN = -1e6  # what a cell of an earlier box costs: more than any box can gain


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels in which predictions differ.

    Args:
        left: First column.
        top: First row.
        width: Columns, in pixels.
        height: Rows, in pixels.
        weight: Differing pixels in it, weighed, less those that a box of its size must have to be
            worth drawing.
    """

    left: int
    top: int
    width: int
    height: int
    weight: float


def weigh_differences(
    predictions: Sequence[np.ndarray], truth: np.ndarray | None = None
) -> np.ndarray:
    """Weigh each pixel by how much it tells about the difference between models.

    Args:
        predictions: Label maps (H, W) of two or more models.
        truth: The true label map (H, W), 255 where it is ignored. Default: none.

    Returns:
        (H, W), float32: 0 where the models agree or the truth is ignored, 1 where they differ and
        some of them are right, 0.3 where all of them are wrong. Without truth 1 where they differ.

    Raises:
        ConfigError: Fewer than two predictions, or sizes that differ.
    """
    if len(predictions) < 2:
        raise ConfigError(f"{len(predictions)} prediction; expected two or more to compare")
    maps = [*predictions] if truth is None else [*predictions, truth]
    if len({m.shape for m in maps}) > 1:
        raise ConfigError(
            f"label maps of sizes {[m.shape for m in maps]}; expected one size: predict and label "
            "the same image"
        )
    stack = np.stack(predictions)  # (models, H, W)
    differ = (stack != stack[0]).any(axis=0)  # (H, W)
    if truth is None:
        return differ.astype(np.float32)
    right = (stack == truth).any(axis=0)
    weights = np.where(right, np.float32(1), np.float32(_BOTH_WRONG))
    return np.where(differ & (truth != IGNORED), weights, np.float32(0))


def find_boxes(weights: np.ndarray, number: int) -> list[Box]:
    """Find the rectangles that hold most of the difference.

    A box is the rectangle with the greatest sum of ``weights - 0.35`` on a grid of cells, 48 along
    the shorter side: large where models differ in whole regions, and none around the thin seams
    where they draw one outline a pixel apart. The next box is the best one that does not overlap
    the boxes before. Sides measure 4 cells at least, half the image's at most.

    Args:
        weights: (H, W), from :func:`weigh_differences`.
        number: How many boxes at most.

    Returns:
        The boxes, that of the greatest weight first; fewer where the next one would have less
        than a tenth of the first one's weight.

    Raises:
        ConfigError: ``number`` is negative.
    """
    if number < 0:
        raise ConfigError(f"number of boxes is {number}; expected 0 or more")
    height, width = weights.shape
    scale = min(1.0, _GRID / min(height, width))
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    # Means over the cells: INTER_AREA is exact for them.
    gain = cv2.resize(weights.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    gain = gain.astype(np.float64) - _THRESHOLD
    boxes: list[Box] = []
    for _ in range(number):
        best, (top, bottom, left, right) = _best_rectangle(gain)
        weight = best * width * height / (w * h)
        if weight <= (_WORTH * boxes[0].weight if boxes else 0):
            break
        gain[top:bottom, left:right] = _TAKEN
        x0, x1 = round(left * width / w), round(right * width / w)
        y0, y1 = round(top * height / h), round(bottom * height / h)
        boxes.append(Box(x0, y0, x1 - x0, y1 - y0, weight))
    return boxes


def _best_rectangle(gain: np.ndarray) -> tuple[float, tuple[int, int, int, int]]:
    """Sum and place (top, bottom, left, right) of the rectangle of greatest sum in (h, w)."""
    h, w = gain.shape
    sums = np.cumsum(np.pad(gain, ((1, 0), (0, 0))), axis=0)  # (h + 1, w)
    top, bottom = np.triu_indices(h + 1, 1)
    sides = bottom - top
    allowed = (sides >= min(_SMALLEST, h)) & (sides <= max(_SMALLEST, int(h * _LARGEST)))
    top, bottom = top[allowed], bottom[allowed]
    columns = sums[bottom] - sums[top]  # (R, w)
    columns = np.cumsum(np.pad(columns, ((0, 0), (1, 0))), axis=1)  # (R, w + 1)
    best, place = -np.inf, (0, 0, 0, 0)
    for side in range(min(_SMALLEST, w), max(_SMALLEST, int(w * _LARGEST)) + 1):
        totals = columns[:, side:] - columns[:, :-side]  # (R, w + 1 - side)
        if totals.size and totals.max() > best:
            row, left = np.unravel_index(totals.argmax(), totals.shape)
            best = float(totals[row, left])
            place = (int(top[row]), int(bottom[row]), int(left), int(left) + side)
    return best, place
