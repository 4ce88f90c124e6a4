"""Images and videos in, label maps out: from a config, a lone checkpoint or an ONNX file."""

from glore_seg.apis.inference.folders import (
    OutputFolder,
    Summary,
    find_jobs,
    segment_folders,
)
from glore_seg.apis.inference.inputs import to_rgb
from glore_seg.apis.inference.segmenter import Failure, Segmentation, Segmenter
from glore_seg.apis.inference.video import VIDEO_SUFFIXES, segment_video
from glore_seg.utils.image_io import IMAGE_SUFFIXES

__all__ = [
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Failure",
    "OutputFolder",
    "Segmentation",
    "Segmenter",
    "Summary",
    "find_jobs",
    "segment_folders",
    "segment_video",
    "to_rgb",
]
