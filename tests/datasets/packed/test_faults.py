"""A full disk, a read-only folder and a worker that dies: what is said, and what is left."""

import os
import signal

import pytest

from glore_seg.datasets import pack_dataset, verify_pack
from glore_seg.datasets.packed import INDEX, PIXELS, read_index, writer
from glore_seg.datasets.packed.record import pack_one
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.disks import fill, make_read_only, small_disk
from tests.leftovers import leave_temporary

PACK = "dataset_converters/pack"


def files(pack):
    return {path.name: path.read_bytes() for path in pack.iterdir()}


@pytest.fixture
def more_scenes(few_scenes, tmp_path):
    """The few scenes, and as many again."""
    root = tmp_path / "more"
    return make_street_scenes(
        root, num_train=8, num_val=1, num_test=1, size=(32, 64), progress=False
    )


def test_a_disk_that_is_full_is_told_beforehand(
    few_scenes, more_scenes, exit_code, capsys, tmp_path
):
    with small_disk(tmp_path / "disk", "120k") as disk:
        pack = disk / "pack"
        pack_dataset(few_scenes, pack, progress=False)
        before = files(pack)
        fill(disk)
        assert exit_code(PACK, more_scenes, pack, "--quiet") == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "needs 0.0 GB more" in said
        assert "make room, or give a folder on another disk" in said
        assert files(pack) == before
        assert verify_pack(pack, progress=False) == []


def test_a_disk_that_fills_up_meanwhile(
    few_scenes, more_scenes, exit_code, capsys, tmp_path, monkeypatch
):
    with small_disk(tmp_path / "disk", "200k") as disk:
        pack = disk / "pack"
        pack_dataset(few_scenes, pack, progress=False)
        fillers = []
        check = writer._check_room

        def another_fills_it(*arguments):
            check(*arguments)
            fillers.append(fill(disk, leave=24_000))  # room for an index, and for two images

        monkeypatch.setattr(writer, "_check_room", another_fills_it)
        assert exit_code(PACK, more_scenes, pack, "--quiet") == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"cannot write {pack}/" in said
        assert "(No space left on device): make room" in said
        with pytest.raises(ValueError, match=r"is unfinished .*goes on"):
            read_index(pack)
        assert len(read_index(pack, unfinished=True)) < 8
        fillers[0].unlink()
        monkeypatch.undo()
        pack_dataset(more_scenes, pack, progress=False)
        assert verify_pack(pack, progress=False) == []
        assert len(read_index(pack)) == 8


def test_a_read_only_folder(few_scenes, more_scenes, exit_code, capsys, tmp_path):
    with small_disk(tmp_path / "disk", "200k") as disk:
        pack = disk / "pack"
        pack_dataset(few_scenes, pack, progress=False)
        before = files(pack)
        make_read_only(disk)
        for place in (pack, disk / "new"):
            assert exit_code(PACK, more_scenes, place, "--quiet") == 2
            said = capsys.readouterr().err
            assert said.count("\n") == 1
            assert "Read-only file system" in said
            assert str(place) in said
        assert files(pack) == before
        assert not (disk / "new").exists()


def die_at_bremen(root, pixels, labels, task):
    if "bremen" in task.image:
        os.kill(os.getpid(), signal.SIGKILL)
    return pack_one(root, pixels, labels, task)


def test_a_worker_that_dies(few_scenes, exit_code, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "pack_one", die_at_bremen)
    arguments = [str(few_scenes), str(tmp_path / "pack"), "--quiet"]
    assert exit_code(PACK, *arguments, "--nproc", "2") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "one of 2 processes at work died" in said
    assert "fewer processes" in said
    with pytest.raises(ValueError, match="is unfinished"):
        read_index(tmp_path / "pack")
    monkeypatch.setattr(writer, "pack_one", pack_one)
    assert exit_code(PACK, *arguments) == 0
    assert verify_pack(tmp_path / "pack", progress=False) == []


def test_killed_while_the_first_index_was_written_it_goes_on(few_scenes, tmp_path):
    pack = tmp_path / "pack"
    leave_temporary(pack / INDEX)
    for name in ("pack.lock", PIXELS):
        (pack / name).touch()
    assert pack_dataset(few_scenes, pack, progress=False) == (4, 0)
    assert {path.name for path in pack.iterdir()} == {"pack.lock", PIXELS, INDEX}
