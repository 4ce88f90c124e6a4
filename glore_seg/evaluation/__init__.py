"""Registered metrics, and the scores of Cityscapes in plain NumPy."""

from glore_seg.evaluation.cityscapes_scores import (
    CITYSCAPES_CLASSES,
    CityscapesScorer,
    CityscapesScores,
)
from glore_seg.evaluation.class_iou_metric import ClassIoUMetric

__all__ = ["CITYSCAPES_CLASSES", "CityscapesScorer", "CityscapesScores", "ClassIoUMetric"]
