"""Registered backbones."""

from glore_seg.models.backbones.glore_preact_net import GloRePreActNet
from glore_seg.models.backbones.glore_resnet import GloReResNet
from glore_seg.models.backbones.glore_video_resnet import GloReVideoResNet

__all__ = ["GloRePreActNet", "GloReResNet", "GloReVideoResNet"]
