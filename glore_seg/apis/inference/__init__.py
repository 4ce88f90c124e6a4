"""Images and videos in, label maps out: from a config, a lone checkpoint or an ONNX file."""

from glore_seg.apis.inference.folders import Summary, find_tasks, segment_folders
from glore_seg.apis.inference.output_folder import OutputFolder, sole_predictor
from glore_seg.apis.inference.reading import (
    IMAGE_SUFFIXES,
    read_image,
    read_image_bytes,
    to_rgb,
)
from glore_seg.apis.inference.segmentation import Failure, Segmentation
from glore_seg.apis.inference.segmenter import Segmenter
from glore_seg.apis.inference.video import VIDEO_SUFFIXES, segment_video

__all__ = [
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Failure",
    "OutputFolder",
    "Segmentation",
    "Segmenter",
    "Summary",
    "find_tasks",
    "read_image",
    "read_image_bytes",
    "segment_folders",
    "segment_video",
    "sole_predictor",
    "to_rgb",
]
