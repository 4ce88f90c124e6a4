"""Kinetics: its annotations and videos, checked and converted to mmaction2's lists."""

from glore_seg.datasets.kinetics.annotations import Segment, read_segments
from glore_seg.datasets.kinetics.checking import Problem, check_video, check_videos
from glore_seg.datasets.kinetics.converting import KineticsReport, convert_kinetics

__all__ = [
    "KineticsReport",
    "Problem",
    "Segment",
    "check_video",
    "check_videos",
    "convert_kinetics",
    "read_segments",
]
