"""Pixels counted by true and predicted class, and the scores that follow from the counts.

Shape legend: H, W sizes of an image; K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

_MAX_PIXELS = 2**24  # OpenCV counts in float32, which is exact up to here


@dataclass(frozen=True)
class ConfusionMatrix:
    """Scores in percent, ``nan`` where nothing was counted, of a confusion matrix.

    ``confusion`` is (K, K), int64: pixels by true (row) and predicted (column) class, without
    ignored ones.
    """

    confusion: np.ndarray

    @property
    def iou(self) -> np.ndarray:
        """IoU of each class, (K,)."""
        hits = self.confusion.diagonal()
        return percent(hits, self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - hits)

    @property
    def recall(self) -> np.ndarray:
        """Share of the pixels of each class that are predicted as it, (K,)."""
        return percent(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def precision(self) -> np.ndarray:
        """Share of the pixels predicted as each class that are of it, (K,)."""
        return percent(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def share(self) -> np.ndarray:
        """Share of each class in the labelled pixels, (K,)."""
        return percent(self.confusion.sum(axis=1), self.confusion.sum())

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes that have one."""
        known = self.iou[~np.isnan(self.iou)]
        return float(known.mean()) if known.size else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of the labelled pixels that are predicted correctly."""
        return float(percent(self.confusion.trace(), self.confusion.sum()))


def count_pixels(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count (H, W), uint8, by true (row) and predicted (column) value: (256, 256), int64."""
    counts = np.zeros((256, 256), np.int64)
    rows = max(1, _MAX_PIXELS // truth.shape[1])
    for top in range(0, len(truth), rows):
        part = [np.ascontiguousarray(ids[top : top + rows]) for ids in (truth, prediction)]
        histogram = cv2.calcHist(part, [0, 1], None, histSize=[256, 256], ranges=[0, 256, 0, 256])
        counts += histogram.astype(np.int64)
    return counts


def percent(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """100 * part / total; ``nan`` where the total is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * np.asarray(part, np.float64) / np.asarray(total, np.float64)


def describe_unseen(classes: Sequence[str], pixels: Any) -> str:
    """Say which of K classes have no pixel in the ground truth, (K,); "" if all have some."""
    unseen = [name for name, number in zip(classes, pixels, strict=True) if not number]
    if len(unseen) == len(classes):
        return "no pixel of the ground truth has a class: all are ignored, and there is no score"
    if not unseen:
        return ""
    return (
        f"no pixel in the ground truth: {', '.join(unseen)}. The means leave out a class that is "
        "not predicted either (nan), and count it as 0 where it is predicted"
    )
