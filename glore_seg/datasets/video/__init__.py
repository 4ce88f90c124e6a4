"""Videos: reading, and mmaction2's dataset with missing and corrupted videos.

Importing this registers the transforms. :mod:`glore_seg.datasets.video.dataset` and
:mod:`glore_seg.datasets.video.rawframes` import mmaction2, which is optional: a config imports them
by ``custom_imports``.
"""

from glore_seg.datasets.video import transforms
from glore_seg.datasets.video.reading import UnreadableVideoError, read_frames, scan_video

__all__ = ["UnreadableVideoError", "read_frames", "scan_video", "transforms"]
