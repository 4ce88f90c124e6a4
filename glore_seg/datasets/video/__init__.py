"""Videos as data: reading and writing them, and mmaction2's dataset made to bear damage.

Importing this registers ``CheckedVideoInit``, ``CheckedVideoDecode``, ``CheckedFrameDecode`` and
``RepeatOneFrame``; :mod:`glore_seg.datasets.video.dataset` and
:mod:`glore_seg.datasets.video.rawframes` import mmaction2 and are left to ``custom_imports`` of a
config.
"""

from glore_seg.datasets.video.reading import (
    UnreadableVideoError,
    VideoScan,
    read_frames,
    scan_video,
)
from glore_seg.datasets.video.transforms import (
    CheckedFrameDecode,
    CheckedVideoDecode,
    CheckedVideoInit,
    RepeatOneFrame,
)
from glore_seg.datasets.video.writing import write_video

__all__ = [
    "CheckedFrameDecode",
    "CheckedVideoDecode",
    "CheckedVideoInit",
    "RepeatOneFrame",
    "UnreadableVideoError",
    "VideoScan",
    "read_frames",
    "scan_video",
    "write_video",
]
