"""Predictions of several models side by side, with boxes where they differ (Fig. 5).

Shape legend: H, W size of an image; h, w cells of the search grid; R ranges of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from glore_seg.errors import ConfigError
from glore_seg.visualization.panels import IGNORED, Box, draw_panel

_BOTH_WRONG = 0.3  # weight of a pixel where models differ and all are wrong
_THRESHOLD = 0.35  # share of differing pixels above which a cell adds to a box
_GRID = 48  # cells along the shorter side, at most
_SMALLEST = 4  # cells along a side of a box
_LARGEST = 0.5  # side of a box, as a share of the image's
_MIN_WEIGHT = 0.1  # weight of a further box, as a share of the first one's
_TAKEN = -1e6  # gain of a cell in an earlier box: excludes it from further boxes
_RANKED_BOXES = 3  # boxes that rank an image, however many are drawn


@dataclass(frozen=True)
class Comparison:
    """An RGB image (H, W, 3) with the label maps (H, W) of several models, by title of the column.

    The true label map is 255 where it is ignored; None without ground truth.
    """

    image: np.ndarray
    predictions: Mapping[str, np.ndarray]
    truth: np.ndarray | None = None

    def boxes(self, number: int) -> list[Box]:
        """The regions that differ most, see :func:`find_boxes`."""
        return find_boxes(weigh_differences([*self.predictions.values()], self.truth), number)

    def accuracies(self) -> dict[str, str]:
        """A text for each model; none without ground truth."""
        counted = self.truth is not None and self.truth != IGNORED
        if not np.any(counted):
            return {}
        return {
            name: f"{100 * (prediction == self.truth)[counted].mean():.1f} % of pixels right"
            for name, prediction in self.predictions.items()
        }

    @property
    def difference(self) -> float:
        """How much the models differ: the weights of three boxes, as a share of the image."""
        return sum(box.weight for box in self.boxes(_RANKED_BOXES)) / self.image[..., 0].size


def draw_comparison(
    comparisons: Sequence[Comparison],
    out_file: str | Path,
    *,
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    num_boxes: int = 3,
    opacity: float = 1.0,
) -> None:
    """Draw input, ground truth and predictions in columns, one row per image, as in Fig. 5.

    The (at most ``num_boxes``) regions where the models differ most are framed in yellow. With
    ground truth the accuracy is printed below each prediction. All images have the same models;
    the other arguments are those of :func:`draw_panel`.

    Raises:
        ConfigError: Only some of the images have ground truth.
    """
    if len({c.truth is None for c in comparisons}) > 1:
        raise ConfigError(
            "some images have ground truth and some have none; draw them in two figures"
        )
    rows: list[dict[str, np.ndarray]] = []
    notes: list[dict[str, str]] = []
    for one in comparisons:
        truth = {} if one.truth is None else {"ground truth": one.truth}
        rows.append({"input": one.image, **truth, **one.predictions})
        notes.append(one.accuracies())
    draw_panel(
        rows,
        out_file,
        classes=classes,
        palette=palette,
        opacity=opacity,
        boxes=[one.boxes(num_boxes) for one in comparisons],
        notes=notes,
    )


def weigh_differences(
    predictions: Sequence[np.ndarray], truth: np.ndarray | None = None
) -> np.ndarray:
    """Weigh the differences between models' label maps (H, W): (H, W), float32.

    0 where the models agree or the truth is ignored, 1 where they differ and some of them are
    right, 0.3 where all of them are wrong. Without truth 1 where they differ.
    """
    stack = np.stack(predictions)  # (models, H, W)
    differ = (stack != stack[0]).any(axis=0)  # (H, W)
    if truth is None:
        return differ.astype(np.float32)
    right = (stack == truth).any(axis=0)
    weights = np.where(right, np.float32(1), np.float32(_BOTH_WRONG))
    return np.where(differ & (truth != IGNORED), weights, np.float32(0))


def find_boxes(weights: np.ndarray, number: int) -> list[Box]:
    """Find the rectangles that hold most of the weights, (H, W), of :func:`weigh_differences`.

    A box is the rectangle with the greatest sum of ``weights - 0.35`` on a grid of cells, 48 along
    the shorter side, so that outlines a pixel apart get none; the next one is the best that does
    not overlap the earlier ones. Sides are at least 4 cells and at most half of the image's.
    Returns at most ``number`` boxes by decreasing weight (the sum, in pixels), none of which has
    less than a tenth of the first one's.
    """
    height, width = weights.shape
    scale = min(1.0, _GRID / min(height, width))
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    # INTER_AREA gives the exact means over the cells.
    gain = cv2.resize(weights.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    gain = gain.astype(np.float64) - _THRESHOLD
    boxes: list[Box] = []
    for _ in range(number):
        best, (top, bottom, left, right) = _best_rectangle(gain)
        weight = best * width * height / (w * h)
        if weight <= (_MIN_WEIGHT * boxes[0].weight if boxes else 0):
            break
        gain[top:bottom, left:right] = _TAKEN
        x0, x1 = round(left * width / w), round(right * width / w)
        y0, y1 = round(top * height / h), round(bottom * height / h)
        boxes.append(Box(x0, y0, x1 - x0, y1 - y0, weight))
    return boxes


def _best_rectangle(gain: np.ndarray) -> tuple[float, tuple[int, int, int, int]]:
    """The rectangle of greatest sum in (h, w): the sum and (top, bottom, left, right)."""
    h, w = gain.shape
    sums = np.cumsum(np.pad(gain, ((1, 0), (0, 0))), axis=0)  # (h + 1, w)
    top, bottom = np.triu_indices(h + 1, 1)
    sides = bottom - top
    allowed = (sides >= min(_SMALLEST, h)) & (sides <= max(_SMALLEST, int(h * _LARGEST)))
    top, bottom = top[allowed], bottom[allowed]
    columns = sums[bottom] - sums[top]  # (R, w)
    columns = np.cumsum(np.pad(columns, ((0, 0), (1, 0))), axis=1)  # (R, w + 1)
    best, found = -np.inf, (0, 0, 0, 0)
    for side in range(min(_SMALLEST, w), max(_SMALLEST, int(w * _LARGEST)) + 1):
        totals = columns[:, side:] - columns[:, :-side]  # (R, w + 1 - side)
        if totals.size and totals.max() > best:
            row, left = np.unravel_index(totals.argmax(), totals.shape)
            best = float(totals[row, left])
            found = (int(top[row]), int(bottom[row]), int(left), int(left) + side)
    return best, found
