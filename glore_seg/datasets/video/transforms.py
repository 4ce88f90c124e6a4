"""mmaction2 transforms that read truncated and partly corrupted videos, and log what was wrong."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log
from mmengine.registry import TRANSFORMS

from glore_seg.datasets.video.reading import read_frames, read_images, scan_video

_BLANK = np.full((256, 256, 3), 128, np.uint8)  # replaces an unreadable video in testing; gray


class _LoggingTransform(BaseTransform):
    """A transform that logs once for each file."""

    def __init__(self) -> None:
        self._logged: set[Path] = set()

    def _warn(self, path: Path, text: str) -> None:
        if text and path not in self._logged:
            self._logged.add(path)
            print_log(text, logger="current", level=logging.WARNING)


@TRANSFORMS.register_module()
class CheckedVideoInit(_LoggingTransform):
    """Scan a video before frames are sampled; replaces ``PyAVInit`` or ``DecordInit``.

    ``total_frames`` is what the file holds, so a truncated video is sampled from what is there;
    the log then names it.

    Reads ``filename``; sets ``total_frames``, ``avg_fps`` (None if unknown) and ``video_scan``.

    Raises:
        UnreadableVideoError: The video has no frames; ``CheckedVideoDataset`` handles it.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Scan the file."""
        if results.get("unreadable"):
            results.update(total_frames=1, avg_fps=None, video_scan=None)
            return results
        scan = scan_video(results["filename"])
        if scan.is_truncated:
            self._warn(
                scan.path,
                f"{scan.path} is truncated: clips are sampled from {scan.num_frames} of "
                f"{scan.header_frames} frames: copy it again",
            )
        results.update(total_frames=scan.num_frames, avg_fps=scan.rate or None, video_scan=scan)
        return results


@TRANSFORMS.register_module()
class CheckedVideoDecode(_LoggingTransform):
    """Decode the sampled frames, upright; replaces ``PyAVDecode`` or ``DecordDecode``.

    The log names files with frames that do not decode; the nearest decodable ones replace them.

    Reads ``video_scan`` of ``CheckedVideoInit`` and ``frame_inds``; sets ``imgs`` (a list of
    (H, W, 3), RGB, uint8), ``img_shape`` and ``original_shape``.

    Raises:
        UnreadableVideoError: No sampled frame decodes; ``CheckedVideoDataset`` handles it.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode."""
        scan = results.pop("video_scan")
        return self._set_frames(results, None if scan is None else scan.path, scan)

    def _set_frames(self, results: dict[str, Any], path: Path | None, scan: Any) -> dict[str, Any]:
        indices = np.asarray(results["frame_inds"]).reshape(-1)  # (clips x frames,)
        if path is None:
            frames = [_BLANK.copy() for _ in indices]
        else:
            frames, warning = self._read(results, scan, indices.tolist())
            self._warn(path, warning)
        shape = frames[0].shape[:2]
        results.update(imgs=frames, frame_inds=indices, original_shape=shape, img_shape=shape)
        return results

    def _read(
        self, results: dict[str, Any], scan: Any, indices: list[int]
    ) -> tuple[list[np.ndarray], str]:
        return read_frames(scan, indices)


@TRANSFORMS.register_module()
class CheckedFrameDecode(CheckedVideoDecode):
    """Read the sampled frames of a folder; replaces ``RawFrameDecode``.

    As ``CheckedVideoDecode``, but reads ``frame_dir``, ``filename_tmpl`` and ``frame_inds``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read."""
        folder = None if results.get("unreadable") else Path(results["frame_dir"])
        return self._set_frames(results, folder, None)

    def _read(
        self, results: dict[str, Any], scan: Any, indices: list[int]
    ) -> tuple[list[np.ndarray], str]:
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
