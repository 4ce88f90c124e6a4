"""Pictures in, label maps out: from a config, a lone checkpoint or an ONNX file."""

from glore_seg.inference.reading import PICTURE_SUFFIXES, read_picture_bytes, to_rgb
from glore_seg.inference.segmentation import Failure, Segmentation
from glore_seg.inference.segmenter import Segmenter

__all__ = [
    "PICTURE_SUFFIXES",
    "Failure",
    "Segmentation",
    "Segmenter",
    "read_picture_bytes",
    "to_rgb",
]
