"""Wrappers of segmentors."""

from glore_seg.models.segmentors.seg_tta import AccumulatingSegTTAModel

__all__ = ["AccumulatingSegTTAModel"]
