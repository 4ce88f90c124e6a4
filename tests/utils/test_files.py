"""Atomic writes: what a kill or a full disk leaves."""

import errno
import os
import re
import socket

import pytest

from glore_seg.errors import OutputError
from glore_seg.utils.files import (
    atomic_write,
    atomic_write_folder,
    remove_unfinished,
    temporary_path,
)
from tests.disks import fill, make_read_only, small_disk
from tests.leftovers import leave_temporary


def test_only_temporary_files_of_dead_processes_of_this_machine_are_removed(tmp_path):
    dead = [leave_temporary(tmp_path / name) for name in ("iter_2.pth", "labels")]
    folder = leave_temporary(tmp_path / "folder")
    folder.unlink()
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.png").touch()
    host = re.sub(r"[^\w-]", "-", socket.gethostname())
    assert f".{host}." in dead[0].name
    kept = {
        dead[0].name.replace(f".{host}.", ".another-machine."),
        temporary_path(tmp_path / "a.pth").name.replace(f".{os.getpid()}.", f".{os.getppid()}."),
        ".hidden.pth",
        "iter_2.pth",
        ".unfinished",
    }
    for name in kept:
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    remove_unfinished(tmp_path / "missing")


def test_two_writers_of_a_file_do_not_meet(tmp_path):
    """Process ids and even host names may be the same in containers."""
    with atomic_write(tmp_path / "a.txt") as one, atomic_write(tmp_path / "a.txt") as other:
        one.write_text("one")
        other.write_text("other")
    assert one != other
    assert (tmp_path / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_complete_or_absent(tmp_path):
    with atomic_write_folder(tmp_path / "labels") as temporary:
        (temporary / "a.png").touch()
        assert not (tmp_path / "labels").exists()
    assert [path.name for path in (tmp_path / "labels").iterdir()] == ["a.png"]
    with pytest.raises(KeyError), atomic_write_folder(tmp_path / "other"):
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


def test_a_full_or_read_only_disk_leaves_the_file_and_says_what_to_do(tmp_path):
    with small_disk(tmp_path / "disk", "16k") as disk:
        (disk / "a.txt").write_text("before")
        fill(disk)
        with pytest.raises(OutputError, match=rf"{disk}/a.txt \(No space left") as error:  # noqa: SIM117
            with atomic_write(disk / "a.txt") as temporary:
                temporary.write_bytes(bytes(20_000))
        assert error.value.errno == errno.ENOSPC
        assert {path.name for path in disk.iterdir()} == {"a.txt", "filler"}
        assert (disk / "a.txt").read_text() == "before"
        make_read_only(disk)
        for path in (disk / "a.txt", disk / "new" / "a.txt"):
            with pytest.raises(OutputError, match=rf"{path} \(Read-only file system"):  # noqa: SIM117
                with atomic_write(path) as temporary:
                    temporary.write_text("after")


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        (tmp_path / "missing").read_bytes()
