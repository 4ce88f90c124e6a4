"""Weights from other sources: read safely, renamed, compared with the network they are for."""

from glore_seg.checkpoints.comparison import Comparison, compare_state_dicts
from glore_seg.checkpoints.converting import SOURCES, convert, require_complete
from glore_seg.checkpoints.inflation import inflate
from glore_seg.checkpoints.reading import read_state_dict, strip_prefix
from glore_seg.checkpoints.writing import write_state_dict

__all__ = [
    "SOURCES",
    "Comparison",
    "compare_state_dicts",
    "convert",
    "inflate",
    "read_state_dict",
    "require_complete",
    "strip_prefix",
    "write_state_dict",
]
