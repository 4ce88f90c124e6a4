"""The paper's networks: pre-activation, with units between the blocks of their stages."""

from glore_seg.layers.preact.architectures import ARCHITECTURES, Architecture, find_architecture
from glore_seg.layers.preact.network import PreActClassifier, PreActNet

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "PreActClassifier",
    "PreActNet",
    "find_architecture",
]
