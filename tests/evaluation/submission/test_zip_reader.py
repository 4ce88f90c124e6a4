"""Damaged and hostile archives: each is named, and none is unpacked."""

import random
import stat
import struct
import tracemalloc
import zipfile

import cv2
import numpy as np
import pytest

from glore_seg.evaluation.submission import ExpectedImages, check_submission
from glore_seg.evaluation.submission.zip_reader import open_zip
from tests.evaluation.submission.conftest import KEYS, good_files, write_zip

FIRST = f"{KEYS[0]}.png"
OTHERS = list(good_files().items())[1:]


def write(path, infos):
    """A zip of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in infos:
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/{}", "is an absolute path"),
        ("../{}", "leads out of its folder by '..'"),
        ("a/../../{}", "leads out of its folder by '..'"),
        ("berlin\\{}", "has backslashes"),
        ("C:{}", "has a drive letter"),
        ("a//{}", "is no plain path"),
        ("./{}", "is no plain path"),
        ("\x1b[2J/{}", "is no plain path"),
        ("{}\0.exe", "is no plain path"),
    ],
)
def test_hostile_names(path, one_fault, name, message):
    name = name.format(FIRST)
    info = zipfile.ZipInfo(FIRST)
    info.filename = name  # past what ZipInfo itself mends
    write(path, [(info, good_files()[FIRST]), *OTHERS])
    kind, found, text = one_fault()
    assert (kind, found) == ("hostile", name)
    assert text == f"{message}; expected a relative path with '/': pack the images again"


def test_a_hostile_name_does_not_reach_the_terminal(path, check):
    write(path, [("\x1b[2J.png", b""), *good_files().items()])
    report = check(path=path, whole=True)
    assert report.lines()[0].startswith("fault: '\\x1b[2J.png': is no plain path")


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (stat.S_IFLNK, "is a link; expected a file"),
        (stat.S_IFIFO, "is neither a file nor a folder"),
    ],
)
def test_links_and_devices(path, one_fault, mode, message):
    info = zipfile.ZipInfo(FIRST)
    info.create_system = 3
    info.external_attr = (mode | 0o777) << 16
    write(path, [(info, b"/etc/passwd"), *OTHERS])
    kind, name, text = one_fault()
    assert (kind, name) == ("hostile", FIRST)
    assert message in text


def test_folders_are_no_files(path, check):
    folder = zipfile.ZipInfo("berlin/")
    folder.external_attr = (stat.S_IFDIR | 0o755) << 16
    assert check(path=write(path, [(folder, b""), *good_files().items()])) == []
    write(path, [("../up/", b""), *good_files().items()])
    assert [fault[:2] for fault in check(path=path)] == [("hostile", "../up/")]


def test_folders_with_data(path, one_fault):
    write(path, [("berlin/", b"data"), *good_files().items()])
    kind, name, text = one_fault()
    assert (kind, name) == ("hostile", "berlin/")
    assert text == "is a folder with 4 bytes of data: pack the images again"


def test_encrypted(path, one_fault):
    data = bytearray(write_zip(path, good_files()).read_bytes())
    data[6] |= 1  # flags of the first local header
    data[data.index(b"PK\1\2") + 8] |= 1  # and of its line in the table of contents
    kind, name, text = one_fault(bytes(data))
    assert (kind, name) == ("hostile", FIRST)
    assert text == "is encrypted; expected no password: pack the images without"


def test_other_compression(path, check):
    found = check(path=write_zip(path, good_files(), zipfile.ZIP_BZIP2))
    assert [fault[0] for fault in found] == ["hostile"] * 3
    assert "is compressed by method 12; expected 0 (stored) or 8 (deflated)" in found[0][2]
    assert check(path=write_zip(path, good_files(), zipfile.ZIP_DEFLATED)) == []


def test_bombs_are_not_unpacked(path, check):
    files = good_files()
    files[FIRST] = bytes(300 << 20)
    write_zip(path, files, zipfile.ZIP_DEFLATED)
    del files
    tracemalloc.start()
    found = check(path=path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [fault[:2] for fault in found] == [("hostile", FIRST)]
    assert found[0][2] == "unpacks to 314572800 bytes; an image has at most 1049600: leave it out"
    assert peak < 8 << 20


def test_an_even_image_without_compression_is_no_bomb(path):
    """Deflated again within the zip it shrinks a thousandfold."""
    even = np.full((1024, 2048), 7, np.uint8)
    data = cv2.imencode(".png", even, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    write_zip(path, {FIRST: data}, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].compress_size * 200 < len(data)
    split = ExpectedImages("val", {"berlin": 1}, {KEYS[0]: (2048, 1024)})
    assert check_submission(path, split, progress=False).faults == []


def test_a_declared_size_that_lies(path, check):
    """Data of 2 MB that the headers declare as 1,000 bytes, then 1,000 as 2,000."""
    for real, declared, message in (
        (2 << 20, 1000, "can't be read from the archive (Bad CRC-32 for file"),
        (1000, 2000, "unpacks to 1000 bytes, but declares 2000"),
    ):
        files = {**good_files(), FIRST: b"x" * real}
        data = bytearray(write_zip(path, files, zipfile.ZIP_DEFLATED).read_bytes())
        data[22:26] = struct.pack("<I", declared)
        entry = data.index(b"PK\1\2")
        data[entry + 24 : entry + 28] = struct.pack("<I", declared)
        path.write_bytes(data)
        ((kind, name, text),) = check(path=path)
        assert (kind, name) == ("damaged", FIRST)
        assert text.startswith(message)
        assert text.endswith(": pack it again")


def test_too_many_files(path, check):
    write_zip(path, {f"{i}.txt": b"" for i in range(1007)})
    assert check(path=path) == [
        (
            "archive",
            "results.zip",
            "holds 1007 files; at most 1006 are looked at: pack only the images",
        )
    ]


def test_a_table_of_contents_that_claims_much(path, one_fault):
    data = bytearray(write_zip(path, good_files()).read_bytes())
    size = data.index(b"PK\5\6") + 12
    with path.open("wb") as file:
        file.seek(300 << 20)  # takes no room on the disk
        data[size : size + 4] = struct.pack("<I", 200 << 20)
        file.write(data)
    kind, name, text = one_fault()
    assert (kind, name) == ("archive", "results.zip")
    assert "its table of contents claims 209715200 bytes, more than 4194304" in text


@pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\5\6"], ids=["empty", "text", "head"])
def test_no_zip(one_fault, data):
    kind, name, text = one_fault(data)
    assert (kind, name) == ("archive", "results.zip")
    assert text.startswith("is no whole zip archive (")


def test_a_zip_that_was_cut_off(path, one_fault):
    data = write_zip(path, good_files()).read_bytes()
    assert one_fault(data[:-40])[0] == "archive"


def test_damage_within(path, one_fault):
    data = bytearray(write_zip(path, good_files()).read_bytes())
    data[80] ^= 1
    kind, name, text = one_fault(bytes(data))
    assert (kind, name) == ("damaged", FIRST)
    assert "Bad CRC-32" in text


def test_names_that_differ_between_header_and_table(path, one_fault):
    data = bytearray(write_zip(path, good_files()).read_bytes())
    data[30:36] = b"munich"
    kind, name, text = one_fault(bytes(data))
    assert (kind, name) == ("damaged", FIRST)
    assert "differ" in text


def test_reads_in_pieces(path):
    content = bytes(range(256)) * 8000  # 2 MB
    write_zip(path, {"a": content, "b": b""})
    with open_zip(path, max_bytes=1 << 22, max_entries=2) as (entries, faults):
        assert (faults, [entry.fault for entry in entries]) == ([], [None, None])
        assert [entry.read() for entry in entries] == [content, b""]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_whatever_is_spoilt_the_check_comes_to_an_end(path, check, method):
    whole = write_zip(path, good_files(), method).read_bytes()
    chance = random.Random(0)
    faultless = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        path.write_bytes(data)
        report = check(path=path, whole=True)
        assert report.lines()
        faultless += not report.faults
    # Times, versions and the like may be anything.
    assert 0 < faultless < 150
