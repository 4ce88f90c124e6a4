"""Registered backbones."""

from glore_seg.models.backbones.glore_preact_net import GloRePreActNet
from glore_seg.models.backbones.glore_resnet import GloReResNet

__all__ = ["GloRePreActNet", "GloReResNet"]
