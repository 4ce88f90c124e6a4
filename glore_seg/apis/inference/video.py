"""Segments the frames of a video and writes them as a video.

Shape legend: H, W size of a frame.
"""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glore_seg.apis.inference.segmenter import Failure, Segmenter
from glore_seg.errors import DataError, OutputError
from glore_seg.evaluation.label_ids import write_label_map
from glore_seg.utils.files import atomic_write, atomic_write_folder, remove_unfinished
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
    """Write a video with the colored label maps over its frames.

    The file and the folder of label maps are written atomically: after an interrupt there is
    neither.

    Args:
        segmenter: The network.
        path: A video that OpenCV can read.
        out_file: MP4 to write, without sound.
        table: From train ids to the ids to write, uint8. Default: train ids are written.
        labels_dir: Folder for the label map of each frame, ``000000.png`` and on. Default: none.
        opacity: Opacity of the label maps, 0 to 1.
        batch_size: Number of frames that run together.
        overwrite: Whether to replace existing files.
        progress: Whether to show a progress bar.

    Returns:
        Share of the pixels of each class over all frames.

    Raises:
        DataError: The video is missing, cannot be read, or ends before its last frame.
        OutputError: ``out_file`` or ``labels_dir`` exists, or cannot be written.
    """
    out_file = Path(out_file)
    if out_file.exists() and not overwrite:
        raise OutputError(f"{out_file} exists; give another name, or --overwrite to replace it")
    folder: Any = nullcontext()
    if labels_dir is not None:
        folder = atomic_write_folder(labels_dir, overwrite=overwrite)
        remove_unfinished(Path(labels_dir).parent)
    remove_unfinished(out_file.parent)
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
    with (
        atomic_write(out_file) as temporary,
        folder as labels,
        closing(_Writer(temporary, fps if fps > 0 else _DEFAULT_FPS)) as writer,
    ):
        for result in results:
            if isinstance(result, Failure):
                raise result.error
            writer.write(result.overlay(opacity))
            if labels is not None:
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
    while True:
        read, frame = capture.read()
        if not read:
            capture.release()
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


class _Writer:
    """An MP4 file, opened with the size of the first frame."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._file: cv2.VideoWriter | None = None

    def write(self, frame: np.ndarray) -> None:
        """Add a frame, (H, W, 3), RGB, uint8."""
        if self._file is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            size = (frame.shape[1], frame.shape[0])
            self._file = cv2.VideoWriter(str(self._path), code, self._fps, size)
            if not self._file.isOpened():
                raise OutputError(
                    f"cannot write {self._path}: check free space, write permission, and that "
                    "OpenCV has mp4v"
                )
        self._file.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.release()
