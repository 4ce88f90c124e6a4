"""Plain torch: the GloRe unit and what it is made of. Nothing here needs OpenMMLab."""

from glore_seg.layers.glore_unit import GloReUnit
from glore_seg.layers.graph_conv import GraphConv
from glore_seg.layers.insertion import evenly_spaced_positions
from glore_seg.layers.nonlocal_block import NonLocalBlock
from glore_seg.layers.video_resnet import VideoResNet

__all__ = ["GloReUnit", "GraphConv", "NonLocalBlock", "VideoResNet", "evenly_spaced_positions"]
