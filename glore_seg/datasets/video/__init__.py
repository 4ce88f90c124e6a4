"""Videos as data: reading and writing them, and mmaction2's dataset with corrupted videos.

Importing this registers the transforms. :mod:`glore_seg.datasets.video.dataset` and
:mod:`glore_seg.datasets.video.rawframes` import mmaction2, which is optional: a config imports them
by ``custom_imports``.
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
