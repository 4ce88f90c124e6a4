"""Registered metrics."""

from glore_seg.evaluation.metrics.cityscapes_score_metric import CityscapesScoreMetric

__all__ = ["CityscapesScoreMetric"]
