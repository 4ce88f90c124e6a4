"""Layers that any OpenMMLab model can take."""

from glore_seg.models.plugins.glore_unit import GloRePlugin

__all__ = ["GloRePlugin"]
