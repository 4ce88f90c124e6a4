"""mmaction2 transforms that read truncated and partly corrupted videos, and log what was wrong."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log
from mmengine.registry import TRANSFORMS

from glore_seg.datasets.video.reading import read_frames, read_images, scan_video

_BLANK = np.full((256, 256, 3), 128, np.uint8)  # replaces an unreadable video in testing; gray


def warn_once(logged: set[str], path: str | Path, text: str) -> None:
    """Log a warning, unless it is empty or one of the same path is in ``logged``."""
    if text and str(path) not in logged:
        logged.add(str(path))
        print_log(text, logger="current", level=logging.WARNING)


@TRANSFORMS.register_module()
class CheckedVideoInit(BaseTransform):
    """Scan a video before frames are sampled; replaces ``PyAVInit`` or ``DecordInit``.

    ``total_frames`` is what the file holds, so a truncated video is sampled from what is there;
    the log then names it.

    Reads ``filename``; sets ``total_frames``, ``avg_fps`` (None if unknown) and ``video_scan``.

    Raises:
        UnreadableVideoError: The video has no frames; ``CheckedVideoDataset`` handles it.
    """

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Scan the file."""
        if results.get("unreadable"):
            results.update(total_frames=1, avg_fps=None, video_scan=None)
            return results
        scan = scan_video(results["filename"])
        if scan.is_truncated:
            warn_once(
                self._logged,
                scan.path,
                f"{scan.path} is truncated: clips are sampled from {scan.num_frames} of "
                f"{scan.header_frames} frames: copy it again",
            )
        results.update(total_frames=scan.num_frames, avg_fps=scan.rate or None, video_scan=scan)
        return results


@TRANSFORMS.register_module()
class CheckedVideoDecode(BaseTransform):
    """Decode the sampled frames, upright; replaces ``PyAVDecode`` or ``DecordDecode``.

    The log names files with frames that do not decode; the nearest decodable ones replace them.

    Reads ``video_scan`` of ``CheckedVideoInit`` and ``frame_inds``; sets ``imgs`` (a list of
    (H, W, 3), RGB, uint8), ``img_shape`` and ``original_shape``.

    Raises:
        UnreadableVideoError: No sampled frame decodes; ``CheckedVideoDataset`` handles it.
    """

    source = "filename"

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode."""
        indices = np.asarray(results["frame_inds"]).reshape(-1)  # (clips x frames,)
        if results.get("unreadable"):
            frames = [_BLANK.copy() for _ in indices]
        else:
            frames, warning = self._read(results, indices.tolist())
            warn_once(self._logged, results[self.source], warning)
        results.pop("video_scan", None)
        shape = frames[0].shape[:2]
        results.update(imgs=frames, frame_inds=indices, original_shape=shape, img_shape=shape)
        return results

    def _read(self, results: dict[str, Any], indices: list[int]) -> tuple[list[np.ndarray], str]:
        return read_frames(results["video_scan"], indices)


@TRANSFORMS.register_module()
class CheckedFrameDecode(CheckedVideoDecode):
    """Read the sampled frames of a folder; replaces ``RawFrameDecode``.

    As ``CheckedVideoDecode``, but reads ``frame_dir``, ``filename_tmpl`` and ``frame_inds``.
    """

    source = "frame_dir"

    def _read(self, results: dict[str, Any], indices: list[int]) -> tuple[list[np.ndarray], str]:
        return read_images(Path(results["frame_dir"]), results["filename_tmpl"], indices)


@TRANSFORMS.register_module()
class RepeatOneFrame(BaseTransform):
    """Replace each clip by its middle frame, repeated: a control without motion.

    Placed between ``SampleFrames`` and the decoding; changes ``frame_inds``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Repeat the middle frame."""
        clips = np.asarray(results["frame_inds"]).reshape(-1, results["clip_len"])
        middle = clips[:, clips.shape[1] // 2]
        results["frame_inds"] = np.repeat(middle, clips.shape[1])
        return results
