"""Weights from other sources: read safely, renamed, compared with the network they are for."""

from glore_seg.checkpoints.comparison import Comparison, compare_state_dicts
from glore_seg.checkpoints.converters import (
    SOURCES,
    convert,
    head_classes,
    inflate,
    require_complete,
)
from glore_seg.checkpoints.files import read_state_dict, strip_prefix, write_state_dict

__all__ = [
    "SOURCES",
    "Comparison",
    "compare_state_dicts",
    "convert",
    "head_classes",
    "inflate",
    "read_state_dict",
    "require_complete",
    "strip_prefix",
    "write_state_dict",
]
