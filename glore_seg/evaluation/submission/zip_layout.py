"""Whether a zip is its files, its table of contents and its end record, and not a byte more.

A zip is read from its table of contents. What the table doesn't name may be anything, and other
programs, which walk from file to file, would find it.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from glore_seg.evaluation.submission.report import Finding

_LOCAL = struct.Struct("<4s5H3L2H")  # the header before each file
_LOCAL_SIGNATURE = b"PK\3\4"
_LINE_BYTES = 46  # of the table of contents, before a line's name, extra field and comment
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\5\6"
_LONGEST_COMMENT = (1 << 16) - 1
_END64_BYTES, _LOCATOR64_BYTES = 56, 20  # of a zip64, between the table and its end record
_END64_SIGNATURE, _LOCATOR64_SIGNATURE = b"PK\6\6", b"PK\6\7"
_DESCRIPTOR_FOLLOWS = 0x8
_DESCRIPTOR_SIGNATURE = b"PK\7\x08"
_LONGEST_DESCRIPTOR = 24
_UTF8 = 0x800
_MEND = "pack the images again"


def layout_faults(
    file: BinaryIO, name: str, infos: list[zipfile.ZipInfo], table_start: int
) -> list[Finding]:
    """Find bytes that belong to no file, and files that share bytes.

    Accepted beside the files are what ordinary tools write: extra fields, the descriptor after a
    file whose sizes were not known before, the records of a zip64, a comment at the end.

    Args:
        file: The archive.
        name: What to call it in the messages.
        infos: Its table of contents.
        table_start: Where that begins, in bytes.
    """
    faults = []
    position, length = 0, file.seek(0, 2)
    for info in sorted(infos, key=lambda info: info.header_offset):
        if position == 0 < info.header_offset:
            message = (
                f"has {info.header_offset} bytes before its first file; expected a zip alone: "
                f"{_MEND}"
            )
            faults.append(Finding("hostile", name, message))
        elif info.header_offset > position:
            faults.append(_hole(name, position, info.header_offset))
        elif info.header_offset < position:
            message = f"shares bytes with another file of the archive: {_MEND}"
            faults.append(Finding("hostile", info.orig_filename, message))
        position = max(position, _end(file, length, info))
    if position < table_start:
        faults.append(_hole(name, position, table_start))
    elif position > table_start:
        message = f"has a file that reaches into its table of contents: {_MEND}"
        faults.append(Finding("hostile", name, message))
    table_end = table_start + sum(map(_line_bytes, infos))
    faults += [_hole(name, *hole) for hole in _holes_behind(file, length, table_end)]
    return faults


def _hole(name: str, start: int, end: int) -> Finding:
    message = f"has {end - start} bytes at {start} that belong to no file of it: {_MEND}"
    return Finding("hostile", name, message)


def _end(file: BinaryIO, length: int, info: zipfile.ZipInfo) -> int:
    """Where a file ends: header, name, extra field, data and, where there is one, descriptor."""
    if not 0 <= info.header_offset <= length - _LOCAL.size:
        return info.header_offset  # reading it fails as well
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if not header.startswith(_LOCAL_SIGNATURE):
        return info.header_offset  # a hole, then; reading it fails, too
    _, _, flags, *_, name_bytes, extra_bytes = _LOCAL.unpack(header)
    end = info.header_offset + _LOCAL.size + name_bytes + extra_bytes + info.compress_size
    if flags & _DESCRIPTOR_FOLLOWS and end < length:
        file.seek(end)
        found = file.read(_LONGEST_DESCRIPTOR)
        end += next((len(d) for d in _descriptors(info) if found.startswith(d)), 0)
    return end


def _descriptors(info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The forms that a file's descriptor may have, with and without signature, zip64 or not."""
    sizes = info.compress_size, info.file_size
    for signature in (_DESCRIPTOR_SIGNATURE, b""):
        yield signature + struct.pack("<L2Q", info.CRC, *sizes)
        if max(sizes) < 1 << 32:
            yield signature + struct.pack("<3L", info.CRC, *sizes)


def _line_bytes(info: zipfile.ZipInfo) -> int:
    encoding = "utf-8" if info.flag_bits & _UTF8 else "cp437"
    name = info.orig_filename.encode(encoding)
    return _LINE_BYTES + len(name) + len(info.extra) + len(info.comment)


def _holes_behind(file: BinaryIO, length: int, table_end: int) -> Iterator[tuple[int, int]]:
    """Start and end of what is not accounted for behind the table of contents."""
    tail_start = max(0, length - _END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read()
    place = tail.rfind(_END_SIGNATURE, 0, len(tail) - _END.size + len(_END_SIGNATURE))
    if place < 0:
        yield table_end, length
        return
    start = tail_start + place
    end = start + _END.size + _END.unpack_from(tail, place)[-1]
    file.seek(table_end)
    zip64 = file.read(_END64_BYTES + _LOCATOR64_BYTES)
    if zip64.startswith(_END64_SIGNATURE) and zip64[_END64_BYTES:].startswith(_LOCATOR64_SIGNATURE):
        table_end += len(zip64)
    if table_end != start:
        yield table_end, start
    if end != length:
        yield end, length
