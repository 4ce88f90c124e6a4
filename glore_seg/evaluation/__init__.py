"""The scores of Cityscapes: in plain NumPy, and as a registered metric."""

from glore_seg.evaluation.cityscapes_scores import (
    CITYSCAPES_CLASSES,
    CityscapesScorer,
    CityscapesScores,
    label_id_table,
)
from glore_seg.evaluation.metrics.cityscapes_score_metric import CityscapesScoreMetric

__all__ = [
    "CITYSCAPES_CLASSES",
    "CityscapesScoreMetric",
    "CityscapesScorer",
    "CityscapesScores",
    "label_id_table",
]
