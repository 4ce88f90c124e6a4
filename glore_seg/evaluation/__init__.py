"""Registered metrics."""

from glore_seg.evaluation.class_iou_metric import ClassIoUMetric

__all__ = ["ClassIoUMetric"]
