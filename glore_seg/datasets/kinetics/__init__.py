"""Kinetics: its annotations and videos, checked and converted to mmaction2's lists."""

from glore_seg.datasets.kinetics.checking import check_video, check_videos
from glore_seg.datasets.kinetics.converting import KineticsReport, convert_kinetics

__all__ = ["KineticsReport", "check_video", "check_videos", "convert_kinetics"]
