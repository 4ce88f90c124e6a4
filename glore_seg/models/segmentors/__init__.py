"""Segmentors around others."""

from glore_seg.models.segmentors.seg_tta import AccumulatingSegTTAModel

__all__ = ["AccumulatingSegTTAModel"]
