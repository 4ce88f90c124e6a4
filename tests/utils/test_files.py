"""Files written aside: what a kill or a full disk leaves."""

import errno
import os
import subprocess

import pytest

from glore_seg.utils.files import atomic_write, atomic_write_folder, remove_unfinished
from tests.disks import fill, make_read_only, small_disk


def test_only_unfinished_files_of_dead_processes_are_removed(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = [f".{name}.{ended.pid}.unfinished{end}" for name, end in (("a", ".pth"), ("b", ""))]
    folder = tmp_path / f".labels.{ended.pid}.unfinished"
    folder.mkdir()
    (folder / "a.png").touch()
    kept = {f".iter_2.{os.getppid()}.unfinished.pth", ".hidden.pth", "iter_2.pth", ".unfinished"}
    for name in (*dead, *kept):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    remove_unfinished(tmp_path / "missing")


def test_a_folder_of_a_killed_process_with_this_number_is_no_obstacle(tmp_path):
    left = tmp_path / f".labels.{os.getpid()}.unfinished"
    left.mkdir()
    (left / "half.png").touch()
    with atomic_write_folder(tmp_path / "labels") as aside:
        (aside / "a.png").touch()
    assert [path.name for path in (tmp_path / "labels").iterdir()] == ["a.png"]
    assert not left.exists()


def test_a_full_disk_leaves_the_file_and_says_what_to_do(tmp_path):
    with small_disk(tmp_path / "disk", "16k") as disk:
        (disk / "a.txt").write_text("before")
        fill(disk)
        with pytest.raises(OSError, match=r"make room .*repeat the command") as error:  # noqa: SIM117
            with atomic_write(disk / "a.txt") as aside:
                aside.write_bytes(bytes(20_000))
        assert error.value.errno == errno.ENOSPC
        assert f"cannot write {disk / 'a.txt'} (No space left on device)" in str(error.value)
        assert {path.name for path in disk.iterdir()} == {"a.txt", "filler"}
        assert (disk / "a.txt").read_text() == "before"


def test_a_read_only_folder_says_what_to_do(tmp_path):
    with small_disk(tmp_path / "disk", "16k") as disk:
        make_read_only(disk)
        for path in (disk / "a.txt", disk / "new" / "a.txt"):
            with pytest.raises(OSError, match=r"\(Read-only file system\): make room or") as error:  # noqa: SIM117
                with atomic_write(path) as aside:
                    aside.write_text("after")
            assert f"cannot write {path} " in str(error.value)


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        (tmp_path / "missing").read_bytes()
