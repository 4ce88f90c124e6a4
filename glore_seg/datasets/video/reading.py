"""Read chosen frames of a video file, whatever state the file is in.

A video is first scanned: its packets are listed without being decoded, which tells what the file
really holds, against what its header says. Frame i is the i-th image in the order in which a
player shows them, at any rate, constant or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glore_seg.errors import DataError
from glore_seg.utils.dependencies import require

_RATES = (20.0, 40.0)  # ordinary frames a second: those of film and television, once
_UNTIMED = {"avi"}  # containers that store the order of decoding alone
# What is opened. FFmpeg goes by the content, and would follow a play list or script to other files.
_CONTAINERS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,mxf,nut,gif"
_STEADY = 0.01  # relative difference of the mean rate from the stream's base


class UnreadableVideoError(DataError):
    """A video that gives no frames; the text names the file and what is wrong with it."""


@dataclass(frozen=True)
class VideoScan:
    """What a video file holds.

    Args:
        path: The file.
        times: When each image is shown, in the stream's units, ascending; None where the
            container stores no times, so that images can only be counted.
        num_frames: How many images there are, at least 1.
        header_frames: How many the header tells of, 0 where it doesn't.
        rate: Mean frames a second, 0 where it is unknown.
        steady: Whether all images are shown equally long.
    """

    path: Path
    times: tuple[int, ...] | None
    num_frames: int
    header_frames: int
    rate: float
    steady: bool

    @property
    def cut_short(self) -> bool:
        """Whether the file ends before its header says."""
        return self.num_frames < self.header_frames

    def odd_rate(self) -> str:
        """Say what is out of the ordinary in the rate; empty where nothing is."""
        if not self.rate:
            return "it has no frame rate"
        if not self.steady:
            return f"its frame rate varies, {self.rate:.4g} a second on average"
        if not _RATES[0] <= self.rate <= _RATES[1]:
            return f"it has {self.rate:.4g} frames a second"
        return ""


def scan_video(path: str | Path) -> VideoScan:
    """List what a video file holds, without decoding it.

    Args:
        path: The file.

    Raises:
        MissingDependencyError: PyAV is not installed.
        UnreadableVideoError: The file is missing or no video, or holds no images.
    """
    av = require("av", "video")
    path = Path(path)
    with _opened(path) as container:
        stream = container.streams.video[0]
        times: list[int | None] = []
        try:
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    times.append(packet.pts)
        except av.FFmpegError:
            pass  # the end of what the file holds
        if not times:
            raise UnreadableVideoError(
                f"{path} holds no frames, though its header tells of {stream.frames}: get it again"
                if stream.frames
                else f"{path} holds no frames: get it again"
            )
        shown = sorted(time for time in times if time is not None)
        known = container.format.name not in _UNTIMED and len(set(shown)) == len(times)
        return VideoScan(
            path=path,
            times=tuple(shown) if known else None,
            num_frames=len(times),
            header_frames=stream.frames,
            rate=float(stream.average_rate or 0),
            steady=not known or _is_steady(shown),
        )


def read_frames(scan: VideoScan, indices: Sequence[int]) -> tuple[list[np.ndarray], dict[str, str]]:
    """Decode chosen frames.

    Decoding begins at the last key frame before the first of them. Images are turned as the
    header says (display matrix), and brought to the size of the first where the size changes.

    Args:
        scan: The video.
        indices: Numbers of frames, each of 0 to ``num_frames`` - 1, in any order, more than once
            where need be.

    Returns:
        An image (H, W, 3), RGB, uint8, for each index, each an array of its own. Then what is
        worth a line in the log, each naming the file: ``"turned"`` where the images were turned,
        ``"damaged"`` where some don't decode, in whose place the nearest one that does stands.

    Raises:
        UnreadableVideoError: Not one of the frames decodes, or the file is no longer there.
        DataError: An index is out of range.
    """
    wrong = [int(i) for i in indices if not 0 <= i < scan.num_frames]
    if wrong or not len(indices):
        raise DataError(
            f"frames {wrong} are none of {scan.path}'s; expected one or more of 0 to "
            f"{scan.num_frames - 1}"
        )
    wanted = sorted({int(i) for i in indices})
    found, turned = _decode(scan, wanted, seek=scan.times is not None)
    if len(found) < len(wanted) and scan.times is not None:
        # the index of the container led astray, as it may with open groups of images
        again, turned_again = _decode(scan, wanted, seek=False)
        found, turned = {**again, **found}, turned or turned_again
    if not found:
        raise UnreadableVideoError(
            f"{scan.path}: none of the {len(wanted)} frames from {wanted[0]} to {wanted[-1]} "
            "decodes: get it again"
        )
    notes = {}
    if turned:
        notes["turned"] = f"{scan.path} is turned by {turned} degrees by its header: read upright"
    if len(found) < len(wanted):
        notes["damaged"] = (
            f"{scan.path}: {len(wanted) - len(found)} of {len(wanted)} frames don't decode; the "
            "nearest that do stand in for them: get it again"
        )
    # Copies: transforms may mirror an image in place, and would mirror a shared one twice.
    nearest = {i: min(found, key=lambda other: abs(other - i)) for i in wanted}
    return [found[nearest[int(i)]].copy() for i in indices], notes


def _opened(path: Path) -> Any:
    av = require("av", "video")
    if not path.is_file():
        raise UnreadableVideoError(f"{path} is missing: get it, or leave it out of the list")
    try:
        container = av.open(
            str(path),
            metadata_errors="replace",
            options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"},
        )
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableVideoError(
            f"{path} cannot be opened as a video ({reason}; {path.stat().st_size} bytes); expected "
            "a container such as MP4, Matroska or AVI: get it again"
        ) from error
    if not container.streams.video:
        container.close()
        raise UnreadableVideoError(f"{path} holds no images, only other streams: get it again")
    # workers of a loader share the cores already
    container.streams.video[0].codec_context.thread_count = 1
    return container


def _is_steady(times: Sequence[int]) -> bool:
    """Whether the steps between images are equal, but for the rounding of their times."""
    steps = np.diff(times)
    if not steps.size:
        return True
    middle = float(np.median(steps))
    return bool(np.abs(steps - middle).max() <= max(1.0, _STEADY * middle))


def _decode(
    scan: VideoScan, wanted: Sequence[int], *, seek: bool
) -> tuple[dict[int, np.ndarray], int]:
    """Decode the frames in ``wanted``, ascending; return what was found, and how it was turned."""
    found: dict[int, np.ndarray] = {}
    numbers = {time: i for i, time in enumerate(scan.times)} if scan.times is not None else None
    missing = set(wanted)
    turned, size = 0, (0, 0)
    with _opened(scan.path) as container:
        stream = container.streams.video[0]
        if seek and scan.times is not None and wanted[0]:
            container.seek(scan.times[wanted[0]], stream=stream)
        for count, frame in enumerate(_frames(container, stream)):
            index = count if numbers is None else numbers.get(frame.pts, -1)
            if index in missing:
                size = size if any(size) else (frame.width, frame.height)
                image = frame.to_ndarray(format="rgb24", width=size[0], height=size[1])
                quarters = round(frame.rotation / 90)
                turned = 90 * quarters % 360
                found[index] = np.ascontiguousarray(np.rot90(image, quarters))
                missing.discard(index)
            if not missing or index > wanted[-1]:
                break
    return found, turned


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Decode packet by packet, passing over those that don't."""
    av = require("av", "video")
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            packet = None
        if packet is None:
            break
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue
