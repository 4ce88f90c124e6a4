"""mmaction2 transforms that read videos in whatever state they are, and say what was wrong."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log
from mmengine.registry import TRANSFORMS

from glore_seg.datasets.video.frames import read_images
from glore_seg.datasets.video.reading import read_frames, scan_video

_HARMLESS = ("odd rate", "turned")
_NAMED = 10  # files named for each of these, a transform and process
_BLANK = (256, 256, 3)  # what stands in for an unreadable video in testing; 128 is mid gray


@TRANSFORMS.register_module()
class CheckedVideoInit(BaseTransform):
    """Look into a video before frames are chosen; in place of ``PyAVInit`` or ``DecordInit``.

    ``total_frames`` is what the file really holds, whatever its header says, so that a video cut
    short is sampled from what is there. Frames are chosen by number, at any rate. The log names
    files that end before their header says, and the first ten whose frame rate is odd: varying,
    unknown, or not of 20 to 40 a second.

    Reads ``filename``; sets ``total_frames``, ``avg_fps`` (frames a second, None where unknown)
    and ``video_scan``.

    Raises:
        UnreadableVideoError: The video gives no frames. ``CheckedVideoDataset`` answers it.
    """

    def __init__(self) -> None:
        self._told = _Told()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Scan the file."""
        if results.get("unreadable"):
            results.update(total_frames=1, avg_fps=None, video_scan=None)
            return results
        scan = scan_video(results["filename"])
        if scan.cut_short:
            self._told.tell(
                "cut short",
                scan.path,
                f"{scan.path} is cut short: it holds {scan.num_frames} of {scan.header_frames} "
                "frames, and clips are taken from these: get it again",
            )
        if scan.odd_rate():
            self._told.tell(
                "odd rate",
                scan.path,
                f"{scan.path}: {scan.odd_rate()}; frames are taken by number, so a clip covers "
                "another time than at 30",
            )
        results.update(total_frames=scan.num_frames, avg_fps=scan.rate or None, video_scan=scan)
        return results

    def __repr__(self) -> str:
        """Return the name: there are no settings."""
        return f"{type(self).__name__}()"


@TRANSFORMS.register_module()
class CheckedVideoDecode(BaseTransform):
    """Decode the chosen frames, upright; in place of ``PyAVDecode`` or ``DecordDecode``.

    The log names files of which frames don't decode (the nearest that do stand in for them), and
    the first ten that are turned by their header.

    Reads ``video_scan`` of ``CheckedVideoInit`` and ``frame_inds``; sets ``imgs`` (a list of
    (H, W, 3), RGB, uint8), ``img_shape`` and ``original_shape``.

    Raises:
        UnreadableVideoError: No chosen frame decodes. ``CheckedVideoDataset`` answers it.
    """

    def __init__(self) -> None:
        self._told = _Told()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode."""
        indices = np.asarray(results["frame_inds"]).reshape(-1)  # (clips x frames,)
        scan = results.pop("video_scan")
        if scan is None:
            results["imgs"] = [np.full(_BLANK, 128, np.uint8) for _ in indices]
        else:
            results["imgs"], notes = read_frames(scan, indices.tolist())
            for kind, note in notes.items():
                self._told.tell(kind, scan.path, note)
        results["frame_inds"] = indices
        results["original_shape"] = results["img_shape"] = results["imgs"][0].shape[:2]
        return results

    def __repr__(self) -> str:
        """Return the name: there are no settings."""
        return f"{type(self).__name__}()"


@TRANSFORMS.register_module()
class CheckedFrameDecode(BaseTransform):
    """Read the chosen frames of a folder; in place of ``RawFrameDecode``.

    The log names folders in which images are missing or don't decode (the nearest of the chosen
    that do stand in for them). Images are brought to the size of the first.

    Reads ``frame_dir``, ``filename_tmpl`` and ``frame_inds``; sets ``imgs`` (a list of (H, W, 3),
    RGB, uint8), ``img_shape`` and ``original_shape``.

    Raises:
        UnreadableVideoError: No chosen frame is there. ``CheckedRawframeDataset`` answers it.
    """

    def __init__(self) -> None:
        self._told = _Told()

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read."""
        indices = np.asarray(results["frame_inds"]).reshape(-1)  # (clips x frames,)
        if results.get("unreadable"):
            results["imgs"] = [np.full(_BLANK, 128, np.uint8) for _ in indices]
        else:
            folder = Path(results["frame_dir"])
            results["imgs"], note = read_images(folder, results["filename_tmpl"], indices.tolist())
            if note:
                self._told.tell("damaged", folder, note)
        results["frame_inds"] = indices
        results["original_shape"] = results["img_shape"] = results["imgs"][0].shape[:2]
        return results

    def __repr__(self) -> str:
        """Return the name: there are no settings."""
        return f"{type(self).__name__}()"


@TRANSFORMS.register_module()
class RepeatOneFrame(BaseTransform):
    """Make every clip its middle frame, repeated: what is then recognized isn't motion.

    Stands between ``SampleFrames`` and the decoding, and changes ``frame_inds``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Repeat the middle frame."""
        clips = np.asarray(results["frame_inds"]).reshape(-1, results["clip_len"])
        middle = clips[:, clips.shape[1] // 2]
        results["frame_inds"] = np.repeat(middle, clips.shape[1])
        return results

    def __repr__(self) -> str:
        """Return the name: there are no settings."""
        return f"{type(self).__name__}()"


class _Told:
    """What the log was told already, by this transform in this process."""

    def __init__(self) -> None:
        self._files: dict[str, set[Path]] = {}

    def tell(self, kind: str, path: Path, line: str) -> None:
        """Log a line once for a file and kind; of a harmless kind, for the first files only."""
        files = self._files.setdefault(kind, set())
        if path in files or (kind in _HARMLESS and len(files) > _NAMED):
            return
        files.add(path)
        if kind in _HARMLESS and len(files) > _NAMED:
            line = (
                f"further videos of this kind ({kind}) are not named here; "
                "tools/dataset_converters/kinetics.py lists them all"
            )
        print_log(line, logger="current", level=logging.WARNING)
