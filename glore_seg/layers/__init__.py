"""Plain torch: the GloRe unit, networks with it, and what they are made of, without OpenMMLab."""

from glore_seg.layers.extra_units import evenly_spaced_positions
from glore_seg.layers.glore_unit import GloReUnit
from glore_seg.layers.graph_conv import GraphConv
from glore_seg.layers.nonlocal_block import NonLocalBlock
from glore_seg.layers.preact import PreActClassifier, PreActNet
from glore_seg.layers.video_resnet import VideoResNet

__all__ = [
    "GloReUnit",
    "GraphConv",
    "NonLocalBlock",
    "PreActClassifier",
    "PreActNet",
    "VideoResNet",
    "evenly_spaced_positions",
]
