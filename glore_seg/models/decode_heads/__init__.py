"""Registered decode heads."""

from glore_seg.models.decode_heads.glore_head import GloReHead

__all__ = ["GloReHead"]
