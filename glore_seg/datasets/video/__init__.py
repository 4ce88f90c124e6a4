"""Videos: reading, and mmaction2's datasets with missing and corrupted videos.

Importing this registers the transforms. :mod:`glore_seg.datasets.video.dataset` imports mmaction2,
which is optional: a config imports it by ``custom_imports``.
"""

from glore_seg.datasets.video import transforms
from glore_seg.datasets.video.reading import UnreadableVideoError, read_frames, scan_video

__all__ = ["UnreadableVideoError", "read_frames", "scan_video", "transforms"]
