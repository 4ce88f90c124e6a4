"""Read chosen frames of a video, also of one that is truncated or corrupted in part.

A video file is first scanned: its packets are listed without being decoded, which tells what the
file holds, against what its header declares. Frame i is the i-th image in display order.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glore_seg.errors import CorruptedFileError, DataError
from glore_seg.utils.dependencies import require
from glore_seg.utils.image_io import read_image

_UNTIMED = {"avi"}  # containers that store the decoding order alone
# FFmpeg goes by the content: it would follow a play list or a script to other files.
_CONTAINERS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,mxf,nut,gif"


class UnreadableVideoError(CorruptedFileError):
    """A video without frames that can be read; the text names the file and the reason."""


@dataclass(frozen=True)
class VideoScan:
    """What a video file holds, and what its header declares."""

    path: Path
    times: tuple[int, ...] | None  # display times of the frames, ascending, if they are stored
    num_frames: int  # at least 1
    header_frames: int  # 0 if the header does not tell
    rate: float  # mean frames per second, 0 if it is unknown

    @property
    def is_truncated(self) -> bool:
        """Whether the file ends before its header says."""
        return self.num_frames < self.header_frames


def scan_video(path: str | Path) -> VideoScan:
    """List what a video file holds, without decoding it.

    Raises:
        MissingDependencyError: PyAV is not installed.
        UnreadableVideoError: The file is missing, not a video, or has no frames.
    """
    av = require("av", "video")
    path = Path(path)
    with _open(path) as container:
        stream = container.streams.video[0]
        times: list[int | None] = []
        with suppress(av.FFmpegError):  # at the end of what the file holds
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    times.append(packet.pts)
        if not times:
            raise UnreadableVideoError(
                f"{path} holds no frames, its header declares {stream.frames}: copy it again"
            )
        shown = sorted(time for time in times if time is not None)
        known = container.format.name not in _UNTIMED and len(set(shown)) == len(times)
        return VideoScan(
            path=path,
            times=tuple(shown) if known else None,
            num_frames=len(times),
            header_frames=stream.frames,
            rate=float(stream.average_rate or 0),
        )


def read_frames(scan: VideoScan, indices: Sequence[int]) -> tuple[list[np.ndarray], str]:
    """Decode chosen frames.

    Decoding begins at the last key frame before the first of them. Frames are rotated as the
    header says (display matrix) and resized to the first one if the size changes.

    Args:
        scan: The video.
        indices: Frame numbers, each of 0 to ``num_frames`` - 1, in any order, also repeated.

    Returns:
        A frame (H, W, 3), RGB, uint8, for each index, each a separate array; and a warning if
        frames do not decode, which the nearest decodable one then replaces, else ``""``.

    Raises:
        UnreadableVideoError: None of the frames decodes, or the file is gone.
        DataError: An index is out of range, or there is none.
    """
    wrong = [int(i) for i in indices if not 0 <= i < scan.num_frames]
    if wrong or not len(indices):
        raise DataError(
            f"frames {wrong} do not exist in {scan.path}; expected one or more of 0 to "
            f"{scan.num_frames - 1}"
        )
    wanted = sorted({int(i) for i in indices})
    found = _decode(scan, wanted, seek=scan.times is not None)
    if len(found) < len(wanted) and scan.times is not None:
        # seeking may miss frames of open GOPs
        found = {**_decode(scan, wanted, seek=False), **found}
    return _replace_missing(found, [int(i) for i in indices], scan.path)


def read_images(
    folder: Path, template: str, numbers: Sequence[int]
) -> tuple[list[np.ndarray], str]:
    """Read frames of a video that is stored as a folder of images, named by a template.

    Returns and raises as :func:`read_frames`; all frames have the size of the first.
    """
    found: dict[int, np.ndarray] = {}
    for number in sorted(set(numbers)):
        try:
            image = read_image(folder / template.format(number))
        except DataError:  # reported with the others
            continue
        height, width = next(iter(found.values()), image).shape[:2]
        if image.shape[:2] != (height, width):
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        found[number] = image
    return _replace_missing(found, numbers, folder)


def _replace_missing(
    found: Mapping[int, np.ndarray], numbers: Sequence[int], path: Path
) -> tuple[list[np.ndarray], str]:
    """Return copies of the frames, of the nearest one where a frame is missing, and a warning."""
    missing = sorted(set(numbers) - found.keys())
    count = len(set(numbers))
    if not found:
        raise UnreadableVideoError(
            f"{path}: none of {count} frames from {min(numbers)} to {max(numbers)} can be read: "
            "copy it again, or remove it from the list"
        )
    warning = (
        f"{path}: {len(missing)} of {count} frames cannot be read, such as {missing[0]}; the "
        "nearest readable ones replace them: copy it again"
        if missing
        else ""
    )
    nearest = (min(found, key=lambda other: (abs(other - i), other)) for i in numbers)
    # copies: a transform that flips in place would flip a shared frame twice
    return [found[i].copy() for i in nearest], warning


def _open(path: Path) -> Any:
    av = require("av", "video")
    if not path.is_file():
        raise UnreadableVideoError(f"{path} is missing: download it, or remove it from the list")
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
            "a container such as MP4, Matroska or AVI: download it again"
        ) from error
    if not container.streams.video:
        container.close()
        raise UnreadableVideoError(f"{path} has no video stream: download it again")
    # workers of a loader share the cores already
    container.streams.video[0].codec_context.thread_count = 1
    return container


def _decode(scan: VideoScan, wanted: Sequence[int], *, seek: bool) -> dict[int, np.ndarray]:
    """Decode the frames in ``wanted``, which ascends, as far as they decode."""
    found: dict[int, np.ndarray] = {}
    numbers = {time: i for i, time in enumerate(scan.times)} if scan.times is not None else None
    missing, size = set(wanted), (0, 0)
    with _open(scan.path) as container:
        stream = container.streams.video[0]
        if seek and scan.times is not None and wanted[0]:
            container.seek(scan.times[wanted[0]], stream=stream)
        for count, frame in enumerate(_frames(container, stream)):
            index = count if numbers is None else numbers.get(frame.pts, -1)
            if index in missing:
                size = size if any(size) else (frame.width, frame.height)
                image = frame.to_ndarray(format="rgb24", width=size[0], height=size[1])
                found[index] = np.rot90(image, round(frame.rotation / 90))
                missing.discard(index)
            if not missing or index > wanted[-1]:
                break
    return found


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Decode packet by packet, and skip those that do not decode."""
    av = require("av", "video")
    with suppress(av.FFmpegError):  # at the end of what the file holds
        for packet in container.demux(stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()
