"""The scores of Cityscapes: in plain NumPy, and as a registered metric."""

from glore_seg.evaluation.cityscapes_score_metric import CityscapesScoreMetric
from glore_seg.evaluation.cityscapes_scores import (
    CITYSCAPES_CLASSES,
    CityscapesScorer,
    CityscapesScores,
)

__all__ = [
    "CITYSCAPES_CLASSES",
    "CityscapesScoreMetric",
    "CityscapesScorer",
    "CityscapesScores",
]
