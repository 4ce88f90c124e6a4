"""Write images to a video file."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.utils.dependencies import require
from glore_seg.utils.files import atomic_write


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    rate: Fraction | int = 25,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> None:
    """Write a video atomically, as nearly lossless H.264, or as MPEG-4 if FFmpeg has no encoder.

    Args:
        path: The file; its suffix selects the container, such as ``.mp4``.
        frames: Images (H, W, 3), RGB, uint8, all of one size; H and W are even.
        rate: Frames per second.
        rotation: Counter-clockwise degrees by which players are told to rotate the frames.
        options: Of the container, such as ``{"movflags": "faststart"}``.

    Raises:
        DataError: There are no frames, or a side is odd.
    """
    av = require("av", "video")
    images = iter(frames)
    first = next(images, None)
    if first is None:
        raise DataError(f"no frames for {path}; expected one or more")
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise DataError(f"frames of {height} x {width} for {path}; expected even sides")
    name = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with (
        atomic_write(path) as temporary,
        av.open(str(temporary), "w", container_options=options or {}) as container,
    ):
        stream = container.add_stream(name, rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # with one thread the bytes depend on the images alone
        stream.codec_context.thread_count = 1
        stream.options = {"crf": "16", "preset": "fast"} if name == "libx264" else {"qscale": "2"}
        if rotation:
            stream.set_display_rotation(rotation)
        for image in (first, *images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
