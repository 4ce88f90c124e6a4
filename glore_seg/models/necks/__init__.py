"""Registered necks."""

from glore_seg.models.necks.glore_neck import GloReNeck

__all__ = ["GloReNeck"]
