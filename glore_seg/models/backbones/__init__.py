"""Registered backbones."""

from glore_seg.models.backbones.glore_resnet import GloReResNet

__all__ = ["GloReResNet"]
