"""The unit and the networks as OpenMMLab builds them; importing registers them."""

from glore_seg.models.backbones import GloRePreActNet, GloReResNet, GloReVideoResNet
from glore_seg.models.decode_heads import GloReHead
from glore_seg.models.necks import GloReNeck
from glore_seg.models.plugins import GloRePlugin
from glore_seg.models.segmentors import AccumulatingSegTTAModel

__all__ = [
    "AccumulatingSegTTAModel",
    "GloReHead",
    "GloReNeck",
    "GloRePlugin",
    "GloRePreActNet",
    "GloReResNet",
    "GloReVideoResNet",
]
