"""Videos as data: reading and writing them, and mmaction2's data set made to bear damage.

Importing this registers ``CheckedVideoInit``, ``CheckedVideoDecode`` and ``RepeatOneFrame``;
:mod:`glore_seg.datasets.video.dataset` imports mmaction2 and is left to ``custom_imports`` of a
config.
"""

from glore_seg.datasets.video.reading import (
    UnreadableVideoError,
    VideoScan,
    read_frames,
    scan_video,
)
from glore_seg.datasets.video.transforms import (
    CheckedVideoDecode,
    CheckedVideoInit,
    RepeatOneFrame,
)
from glore_seg.datasets.video.writing import write_video

__all__ = [
    "CheckedVideoDecode",
    "CheckedVideoInit",
    "RepeatOneFrame",
    "UnreadableVideoError",
    "VideoScan",
    "read_frames",
    "scan_video",
    "write_video",
]
