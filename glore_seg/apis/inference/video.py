"""Frames of a video through a network, and back into a video.

Shape legend: H, W size of a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glore_seg.apis.inference.segmentation import Failure
from glore_seg.apis.inference.segmenter import Segmenter
from glore_seg.errors import DataError, OutputError
from glore_seg.utils.files import atomic_write, atomic_write_folder, remove_unfinished
from glore_seg.utils.image_io import write_png
from glore_seg.utils.progress import track

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
"""Endings that a folder is searched for, in small letters."""

_RATE = 25.0  # frames a second, where the file does not say


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    Args:
        frames: How many frames it has; None where it does not say.
        rate: Frames a second.
    """

    frames: int | None
    rate: float


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
    """Write a video with the painted label maps over its frames.

    The file, and the folder of label maps, get their names when they are whole: interrupted,
    nothing is left.

    Args:
        segmenter: The network.
        path: Any video that OpenCV reads.
        out_file: MP4 to write, without sound.
        table: From train ids to the ids to write, uint8. Default: train ids.
        labels_dir: Folder to make for the label map of each frame, ``000000.png`` and on. Default:
            none.
        opacity: Of the label maps, 0 to 1.
        batch_size: Frames that run together.
        overwrite: Whether what is there may be replaced.
        progress: Whether to show a bar with the time left.

    Returns:
        Share of the pixels of each class over all frames.

    Raises:
        OutputError: ``out_file`` or ``labels_dir`` is there.
        DataError: The video is not there.
        DataError: OpenCV can't read it, or it ends before its last frame.
        OutputError: The file can't be written.
    """
    if Path(out_file).exists() and not overwrite:
        raise OutputError(f"{out_file} exists; give another name, or --overwrite to replace it")
    for place in {Path(made).parent for made in (out_file, labels_dir) if made is not None}:
        remove_unfinished(place)
    totals = np.zeros(len(segmenter.classes))
    count = 0
    with _opened(path) as (capture, info):
        results = segmenter.stream(_frames(capture), batch_size=batch_size)
        shown = track(results, info.frames, Path(path).name, show=progress)
        folder: Any = nullcontext()
        if labels_dir is not None:
            folder = atomic_write_folder(labels_dir, overwrite=overwrite)
        with (
            atomic_write(out_file) as aside,
            folder as labels,
            _Writer(aside, info.rate) as writer,
        ):
            for result in shown:
                if isinstance(result, Failure):
                    raise result.error
                writer.write(result.overlay(opacity))
                if labels is not None:
                    ids = result.labels if table is None else table[result.labels]
                    write_png(labels / f"{count:06}.png", ids)
                totals += list(result.shares().values())
                count += 1
            _check_length(path, count, info)
    return dict(zip(segmenter.classes, (totals / count).tolist(), strict=True))


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[cv2.VideoCapture, VideoInfo]]:
    if not Path(path).is_file():
        raise DataError(f"video {path} does not exist; expected the path of a file")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise DataError(
                f"{path} cannot be opened as a video by OpenCV: it is damaged, or of a kind that "
                "this OpenCV lacks; make an MP4 of it with ffmpeg"
            )
        frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        rate = capture.get(cv2.CAP_PROP_FPS)
        yield capture, VideoInfo(frames if frames > 0 else None, rate if rate > 0 else _RATE)
    finally:
        capture.release()


def _frames(capture: cv2.VideoCapture) -> Iterator[np.ndarray]:
    """Each frame, (H, W, 3), RGB, turned as the file says."""
    while True:
        read, frame = capture.read()
        if not read:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def _check_length(path: str | Path, count: int, info: VideoInfo) -> None:
    # The count of some containers is a guess from length and rate, a frame off at times.
    if not count or (info.frames and count < info.frames - 1 - info.frames // 100):
        raise DataError(
            f"{path} ends after {count} of {info.frames or 'its'} frames: it is damaged or cut "
            "off; fetch it again, or cut it to its length with ffmpeg"
        )


class _Writer:
    """An MP4 file, opened at the first frame, whose size it takes; odd sides lose a line."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._file: cv2.VideoWriter | None = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.release()

    def write(self, frame: np.ndarray) -> None:
        """Add (H, W, 3), RGB, uint8."""
        height, width = frame.shape[:2]
        if self._file is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._file = cv2.VideoWriter(str(self._path), code, self._rate, (width, height))
            if not self._file.isOpened():
                raise OutputError(
                    f"cannot write {self._path}: is the disk full, the folder read-only, or this "
                    "OpenCV without mp4v?"
                )
        self._file.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
