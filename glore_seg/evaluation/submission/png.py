"""A PNG from an untrusted source: its header before its pixels, its checksums, then its pixels."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from glore_seg.errors import DataError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")  # width, height, depth, color, compression, filter, interlace
_HEADER_BYTES = len(_SIGNATURE) + 8 + _HEADER.size
_MODES = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGB with alpha"}
_CHANNELS = {"gray": 1, "RGB": 3, "palette": 1, "gray with alpha": 2, "RGB with alpha": 4}
_NEEDED = ("IHDR", "PLTE", "IDAT", "IEND")
# First column and row, and steps, of an image's passes: one, or the seven of Adam7.
_PASSES = {
    False: ((0, 0, 1, 1),),
    True: (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ),
}


class CorruptedPngError(DataError):
    """The bytes are no whole PNG."""


@dataclass(frozen=True)
class PngHeader:
    """What a PNG says of itself before its pixels.

    Args:
        size: (width, height) in pixels.
        depth: Bits a channel: 1, 2, 4, 8 or 16.
        mode: ``"gray"``, ``"RGB"``, ``"palette"``, ``"gray with alpha"`` or ``"RGB with alpha"``.
        interlaced: Whether its rows come in seven passes.
    """

    size: tuple[int, int]
    depth: int
    mode: str
    interlaced: bool

    @property
    def raw_bytes(self) -> int:
        """Length of the pixels before compression, with the filter's byte before each row."""
        total = 0
        for left, top, step_x, step_y in _PASSES[self.interlaced]:
            width = -(-(self.size[0] - left) // step_x)
            height = -(-(self.size[1] - top) // step_y)
            if width > 0 and height > 0:
                bits = width * _CHANNELS[self.mode] * self.depth
                total += height * (1 + -(-bits // 8))
        return total


def read_header(data: bytes) -> PngHeader:
    """Read the header of a PNG.

    Args:
        data: Its first bytes at least, as many as there are.

    Raises:
        CorruptedPngError: It is no PNG.
    """
    if len(data) < _HEADER_BYTES or data[:8] != _SIGNATURE or data[8:16] != b"\0\0\0\x0dIHDR":
        raise CorruptedPngError(f"is no PNG (it begins with {data[:8]!r})" if data else "is empty")
    width, height, depth, color, _, _, interlaced = _HEADER.unpack_from(data, 16)
    if not width or not height or color not in _MODES or depth not in (1, 2, 4, 8, 16):
        raise CorruptedPngError(
            f"has a header that no PNG has: {width} x {height}, color type {color}, {depth} bits"
        )
    return PngHeader((width, height), depth, _MODES[color], bool(interlaced))


def read_size(path: Path) -> tuple[int, int]:
    """Return (width, height) of a PNG file without reading its pixels.

    Raises:
        CorruptedPngError: It is no PNG.
    """
    with path.open("rb") as file:
        return read_header(file.read(_HEADER_BYTES)).size


def check_chunks(data: bytes, header: PngHeader) -> tuple[set[str], bytes]:
    """Walk over the chunks of a PNG; compare their checksums and the length of the pixels.

    Decoders pass over some of this: Pillow fills up with zeros where pixels are too few.

    Args:
        data: The whole file.
        header: What it says of itself. Memory grows with the size that stands there.

    Returns:
        The names of its chunks, and the PNG with nothing but what its pixels need.

    Raises:
        CorruptedPngError: It is cut off, a checksum is wrong, a second header is there, a palette is
            lacking, something follows the end, or there are more or fewer pixels than the header
            says.
    """
    names: set[str] = set()
    pixels, needed = [], [_SIGNATURE]
    position = len(_SIGNATURE)
    while "IEND" not in names:
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        if end + 4 > len(data):
            raise CorruptedPngError("is cut off")
        name = data[position + 4 : position + 8].decode("latin-1")
        if zlib.crc32(data[position + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise CorruptedPngError(f"has a wrong checksum in its chunk {name!r}")
        if name == "IHDR" and name in names:
            raise CorruptedPngError("has two headers")
        if name == "IDAT":
            if header.mode == "palette" and "PLTE" not in names:
                raise CorruptedPngError("has no palette (PLTE), though its header says so")
            pixels.append(data[position + 8 : end])
        if name in _NEEDED:
            needed.append(data[position : end + 4])
        names.add(name)
        position = end + 4
    if position != len(data):
        raise CorruptedPngError(f"has {len(data) - position} bytes after its end")
    _check_pixels(b"".join(pixels), header)
    return names, b"".join(needed)


def _check_pixels(compressed: bytes, header: PngHeader) -> None:
    inflate = zlib.decompressobj()
    try:
        found = len(inflate.decompress(compressed, header.raw_bytes + 1))
    except zlib.error as error:
        raise CorruptedPngError(f"can't be decoded ({error})") from error
    if found > header.raw_bytes:
        raise CorruptedPngError("holds more pixels than its header says")
    if found < header.raw_bytes or not inflate.eof:
        raise CorruptedPngError("holds fewer pixels than its header says")


def decode(data: bytes) -> tuple[np.ndarray, bool]:
    """Decode the pixels as cityscapesScripts does: a palette image gives its indices.

    Call it after :func:`read_header` has shown that the image is not too large.

    Args:
        data: The PNG as :func:`check_chunks` gives it.

    Returns:
        The pixels, (H, W) or (H, W, channels), and whether there is a palette that shows anything
        but the gray of each index.

    Raises:
        CorruptedPngError: The pixels can't be decoded.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = np.asarray(image)
            palette = image.getpalette() if image.mode == "P" else None
    except Exception as error:  # Pillow raises whatever it stumbles over
        raise CorruptedPngError(f"can't be decoded ({error})") from error
    colors = np.array(palette or [], dtype=int).reshape(-1, 3)
    return pixels, bool((colors != np.arange(len(colors))[:, None]).any())


def encode(label_ids: np.ndarray) -> bytes:
    """Encode a label map, always to the same bytes on one machine.

    Args:
        label_ids: Shape (H, W), uint8.
    """
    done, data = cv2.imencode(".png", label_ids, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    assert done, "OpenCV encodes any uint8 image in memory"
    return data.tobytes()
