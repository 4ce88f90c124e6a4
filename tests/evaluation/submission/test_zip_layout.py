"""Bytes of an archive that belong to no file, and those that ordinary tools write."""

import io
import shutil
import struct
import subprocess
import zipfile

import pytest

from tests.evaluation.submission.conftest import KEYS, good_files, write_zip

HOLE = "belong to no file of it: pack the images again"


@pytest.mark.parametrize("before", [b"#!/bin/sh\n", None], ids=["script", "another zip"])
def test_data_before_the_archive(path, one_fault, before):
    data = write_zip(path, good_files()).read_bytes()
    before = data if before is None else before
    kind, name, text = one_fault(before + data)
    assert (kind, name) == ("hostile", "results.zip")
    assert text.startswith(f"has {len(before)} bytes before its first file; expected a zip alone")


def test_files_that_share_bytes(path, check):
    """Two lines of the table of contents lead to one place."""
    data = bytearray(write_zip(path, {**good_files(), "b.txt": b"b", "c.txt": b"c"}).read_bytes())
    first, second = (data.index(name, data.index(b"PK\1\2")) for name in (b"b.txt", b"c.txt"))
    data[second - 4 : second] = data[first - 4 : first]
    path.write_bytes(data)
    found = check(path=path)
    assert ("hostile", "c.txt", "shares bytes with another file of the archive") in [
        (kind, name, text.split(":")[0]) for kind, name, text in found
    ]


def test_files_that_the_table_of_contents_does_not_name(path, check):
    """A line of the table is taken out: its file is still there, between others or at the end."""
    for hidden in ("a.txt", "z.txt"):
        files = {"a.txt": b"hidden", **good_files(), "z.txt": b"hidden"}
        data = write_zip(path, files).read_bytes()
        table, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
        lines = [b"PK\1\2" + line for line in data[table:end].split(b"PK\1\2")[1:]]
        kept = [line for line in lines if hidden.encode() not in line]
        new = b"".join(kept)
        tail = bytearray(data[end:])
        tail[8:16] = struct.pack("<2HL", len(kept), len(kept), len(new))
        path.write_bytes(data[:table] + new + tail)
        found = [fault[2] for fault in check(path=path) if fault[0] == "hostile"]
        if hidden == "a.txt":
            assert found == ["has 41 bytes before its first file; expected a zip alone: pack the "
                             "images again"]  # fmt: skip
        else:
            assert found == [f"has 41 bytes at {table - 41} that {HOLE}"]


def test_bytes_between_files(path, check):
    data = write_zip(path, good_files()).read_bytes()
    second = data.index(b"PK\3\4", 1)
    table = data.index(b"PK\1\2")
    moved = bytearray(data[:second] + b"hidden" + data[second:])
    for _ in range(2):  # of the second and third file
        table = data.index(b"PK\1\2", table + 1)
        (offset,) = struct.unpack_from("<L", data, table + 42)
        struct.pack_into("<L", moved, table + 6 + 42, offset + 6)
    end = moved.index(b"PK\5\6")
    (start,) = struct.unpack_from("<L", moved, end + 16)
    struct.pack_into("<L", moved, end + 16, start + 6)
    path.write_bytes(moved)
    assert check(path=path) == [("hostile", "results.zip", f"has 6 bytes at {second} that {HOLE}")]


def test_bytes_after_the_end(path, one_fault):
    data = write_zip(path, good_files()).read_bytes()
    fault = one_fault(data + b"more")
    assert fault == ("hostile", "results.zip", f"has 4 bytes at {len(data)} that {HOLE}")


def test_bytes_before_the_end_record(path, one_fault):
    data = write_zip(path, good_files()).read_bytes()
    end = data.index(b"PK\5\6")
    assert one_fault(data[:end] + b"more" + data[end:])[0] == "archive"


class _Pipe(io.RawIOBase):
    """Takes bytes and can't go back, as a pipe: sizes then stand after each file."""

    def __init__(self, file):
        self._file = file

    def writable(self):
        return True

    def write(self, data):
        return self._file.write(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("zip64", [False, True])
def test_a_zip_written_to_a_pipe(path, check, method, zip64):
    with path.open("wb") as file, zipfile.ZipFile(_Pipe(file), "w", method) as archive:
        for name, content in good_files().items():
            with archive.open(name, "w", force_zip64=zip64) as entry:
                entry.write(content)
    assert zipfile.ZipFile(path).infolist()[0].flag_bits & 8
    assert check(path=path) == []
    data = path.read_bytes()
    first = data.index(b"PK\7\x08")
    path.write_bytes(data[: first + 4] + b"\0\0" + data[first + 6 :])  # another checksum
    assert any("belong to no file" in text for _, _, text in check(path=path))


def test_extra_fields_comments_and_zip64(path, check, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # more files take a zip64's end record
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in good_files().items():
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack("<2HBL", 0x5455, 5, 1, 10**9)  # Unix time
            info.comment = b"of an image"
            archive.writestr(info, content)
        archive.comment = b"of the archive"
    assert b"PK\6\6" in path.read_bytes()
    assert check(path=path) == []


@pytest.mark.skipif(not shutil.which("zip"), reason="zip is not installed: apt install zip")
@pytest.mark.parametrize("options", ["-r", "-r0", "-rfd", "-rfz", "pipe"])
def test_what_zip_writes(path, check, tmp_path, options):
    folder = tmp_path / "images"
    for key in KEYS:
        (folder / key.split("_")[0]).mkdir(parents=True, exist_ok=True)
        (folder / key.split("_")[0] / f"{key}_ü.png").write_bytes(good_files()[f"{key}.png"])
    if options == "pipe":
        with path.open("wb") as file:
            subprocess.run(["zip", "-q", "-r", "-", "."], cwd=folder, stdout=file, check=True)
    else:
        subprocess.run(["zip", "-q", options, path, "."], cwd=folder, check=True)
    assert check(path=path) == []
