"""Packed datasets: images and label maps decoded once, then read by memory mapping.

``tools/dataset_converters/pack.py`` creates one; ``CheckedCityscapesDataset(pack=...)`` reads it.
"""

from glore_seg.datasets.packed.reader import (
    INDEX,
    PIXELS,
    Entry,
    PackedImage,
    attach_pack,
    read_index,
    read_packed,
    verify_pack,
)
from glore_seg.datasets.packed.writer import pack_dataset

__all__ = ["INDEX", "PIXELS", "Entry", "PackedImage", "attach_pack", "pack_dataset", "read_index"]
__all__ += ["read_packed", "verify_pack"]
