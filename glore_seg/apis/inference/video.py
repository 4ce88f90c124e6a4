"""Segments the frames of a video and writes them as a video.

Shape legend: H, W size of a frame.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from glore_seg.apis.inference.segmenter import Failure, Segmenter
from glore_seg.errors import DataError, OutputError
from glore_seg.evaluation.label_ids import write_label_map
from glore_seg.utils.files import (
    atomic_write,
    atomic_write_folder,
    check_free,
    remove_unfinished,
)
from glore_seg.utils.progress import track

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
"""Suffixes that a folder is searched for, in lower case."""

_DEFAULT_FPS = 25.0


def segment_video(
    segmenter: Segmenter,
    path: str | Path,
    out_file: str | Path,
    *,
    table: np.ndarray | None = None,
    labels_dir: str | Path | None = None,
    opacity: float = 0.5,
    batch_size: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, float]:
    """Write a video (MP4, without sound) with the colored label maps over its frames.

    ``labels_dir`` gets the label map of each frame, ``000000.png`` and on, as values of ``table``
    (uint8, from train ids), else as train ids. File and folder are written atomically: after an
    interrupt there is neither. Opacity is 0 to 1; ``batch_size`` frames run together. Returns the
    share of the pixels of each class over all frames.

    Raises:
        DataError: OpenCV cannot read the video, or it ends before its last frame.
        OutputError: ``out_file`` or ``labels_dir`` exists (without ``overwrite``), or cannot be
            written.
    """
    out_file = Path(out_file)
    check_free(out_file, overwrite=overwrite)
    remove_unfinished(out_file.parent)
    if labels_dir is not None:
        remove_unfinished(Path(labels_dir).parent)
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise DataError(
            f"{path} is missing or cannot be opened as a video by OpenCV: convert it to MP4 with "
            "ffmpeg"
        )
    declared = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    totals, count = np.zeros(len(segmenter.classes)), 0
    results = segmenter.stream(_frames(capture), batch_size=batch_size)
    results = track(results, max(declared, 0) or None, Path(path).name, show=progress)
    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_write(out_file))
        if labels_dir is not None:
            labels = stack.enter_context(atomic_write_folder(labels_dir, overwrite=overwrite))
        for result in results:
            if isinstance(result, Failure):
                raise result.error
            overlay = result.overlay(opacity)
            if not count:
                writer = _open_writer(temporary, fps if fps > 0 else _DEFAULT_FPS, overlay)
                stack.callback(writer.release)
            writer.write(cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR))
            if labels_dir is not None:
                write_label_map(labels / f"{count:06}.png", result.labels, table)
            totals += list(result.shares().values())
            count += 1
        # The count of some containers is estimated from length and rate, and off by a few frames.
        if not count or count < declared - 1 - declared // 100:
            raise DataError(
                f"{path} ends after {count} of {declared} frames: it is corrupted or truncated; "
                "copy it again, or cut it to its length with ffmpeg"
            )
    return dict(zip(segmenter.classes, (totals / count).tolist(), strict=True))


def _frames(capture: cv2.VideoCapture) -> Iterator[np.ndarray]:
    """Each frame, (H, W, 3), RGB, in the orientation that the file declares."""
    while (found := capture.read())[0]:
        yield cv2.cvtColor(found[1], cv2.COLOR_BGR2RGB)
    capture.release()


def _open_writer(path: Path, fps: float, frame: np.ndarray) -> cv2.VideoWriter:
    code, size = cv2.VideoWriter.fourcc(*"mp4v"), (frame.shape[1], frame.shape[0])
    writer = cv2.VideoWriter(str(path), code, fps, size)
    if not writer.isOpened():
        raise OutputError(
            f"cannot write {path}: check free space, write permission, and that OpenCV has mp4v"
        )
    return writer
