"""A packed copy of a dataset: images and labels decoded once, then read by memory mapping.

``tools/dataset_converters/pack.py`` makes one; ``CheckedCityscapesDataset(pack=...)`` reads it.
"""

from glore_seg.datasets.packed.index import INDEX, PIXELS, Entry, Source, read_index
from glore_seg.datasets.packed.reader import SeededIndex, attach_pack, read_packed, verify_pack
from glore_seg.datasets.packed.writer import pack_dataset

__all__ = [
    "INDEX",
    "PIXELS",
    "Entry",
    "SeededIndex",
    "Source",
    "attach_pack",
    "pack_dataset",
    "read_index",
    "read_packed",
    "verify_pack",
]
