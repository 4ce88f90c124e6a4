"""Plugin layers for any OpenMMLab model."""

from glore_seg.models.plugins.glore_unit import GloRePlugin, build_units

__all__ = ["GloRePlugin", "build_units"]
