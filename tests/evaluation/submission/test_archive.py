"""Corrupted and unsafe archives: each is named, and none is unpacked."""

import stat
import struct
import tracemalloc
import zipfile

import cv2
import numpy as np
import pytest

from glore_seg.evaluation.submission import ExpectedImages, check_submission
from tests.evaluation.submission.conftest import FIRST, KEYS, good_files, write_zip

OTHERS = list(good_files().items())[1:]


def write(path, files):
    """A zip of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in files:
            archive.writestr(info, data)


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/{}", "../{}", "a/../../{}", "berlin\\{}", "C:{}"),
        *("a//{}", "./{}", "\x1b[2J/{}", "{}\0.exe"),
    ],
)
def test_rejects_unsafe_names(path, report, name):
    info = zipfile.ZipInfo(FIRST)
    info.filename = name.format(FIRST)  # bypasses what ZipInfo fixes itself
    write(path, [(info, good_files()[FIRST]), *OTHERS])
    (error,) = report().errors
    assert (error.kind, error.name) == ("unsafe", name.format(FIRST))
    assert report().lines()[0].isprintable()


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO])
def test_rejects_links_and_devices(path, check, mode):
    info = zipfile.ZipInfo(FIRST)
    info.create_system = 3
    info.external_attr = (mode | 0o777) << 16
    write(path, [(info, b"/etc/passwd"), *OTHERS])
    assert check() == [("unsafe", FIRST)]


def test_skips_folders(path, check):
    folder = zipfile.ZipInfo("berlin/")
    folder.external_attr = (stat.S_IFDIR | 0o755) << 16
    write(path, [(folder, b""), *good_files().items()])
    assert check() == []
    write(path, [("../up/", b""), *good_files().items()])
    assert check() == [("unsafe", "../up/")]


def test_names_encrypted_files(path, check):
    data = bytearray(write_zip(path, good_files()).read_bytes())
    data[6] |= 1  # flags of the first local header
    data[data.index(b"PK\1\2") + 8] |= 1  # and of its line in the table of contents
    path.write_bytes(data)
    assert check() == [("corrupted", FIRST)]


def test_rejects_other_compression(path, check):
    write_zip(path, good_files(), zipfile.ZIP_BZIP2)
    assert [kind for kind, _ in check()] == ["unsafe"] * 3
    write_zip(path, good_files(), zipfile.ZIP_DEFLATED)
    assert check() == []


@pytest.mark.parametrize(
    ("size", "declared", "kind"),
    [(64 << 20, None, "unsafe"), (64 << 20, 1000, "corrupted"), (1000, 2000, "corrupted")],
    ids=["bomb", "bomb of a small declared size", "shorter than declared"],
)
def test_does_not_unpack_other_sizes(path, check, size, declared, kind):
    files = {**good_files(), FIRST: bytes(size)}
    data = bytearray(write_zip(path, files, zipfile.ZIP_DEFLATED).read_bytes())
    del files
    for position in (22, data.index(b"PK\1\2") + 24) if declared else ():
        data[position : position + 4] = struct.pack("<I", declared)
    path.write_bytes(data)
    tracemalloc.start()
    found = check()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(kind, FIRST)]
    assert peak < 8 << 20


def test_accepts_an_uncompressed_constant_image(path):
    even = np.full((1024, 2048), 7, np.uint8)
    data = cv2.imencode(".png", even, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    write_zip(path, {FIRST: data}, zipfile.ZIP_DEFLATED)
    split = ExpectedImages("val", {KEYS[0]: (2048, 1024)})
    assert check_submission(path, split, progress=False).errors == []


def test_rejects_too_many_files(path, check):
    assert check({f"{i}.txt": b"" for i in range(1007)}) == [("archive", "results.zip")]


@pytest.mark.parametrize(
    "change",
    [lambda data: b"", lambda data: b"text", lambda data: b"PK\5\6", lambda data: data[:-40]],
    ids=["empty", "text", "head", "truncated"],
)
def test_rejects_what_is_not_a_zip(path, check, change):
    path.write_bytes(change(write_zip(path, good_files()).read_bytes()))
    assert check() == [("archive", "results.zip")]


@pytest.mark.parametrize("position", [80, 30], ids=["content", "name"])
def test_names_corrupted_files(path, check, position):
    data = bytearray(write_zip(path, good_files()).read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    assert check() == [("corrupted", FIRST)]
