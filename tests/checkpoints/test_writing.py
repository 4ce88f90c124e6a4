"""Weights on a disk that is full or read-only."""

import errno

import pytest
import torch

from glore_seg.checkpoints.files import write_state_dict
from tests.disks import fill, make_read_only, small_disk


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_earlier_weights_are_unchanged(tmp_path, name):
    state = {"weight": torch.arange(20_000.0)}
    with small_disk(tmp_path / "disk", "200k") as disk:
        write_state_dict(disk / name, state)
        before = (disk / name).read_bytes()
        fill(disk, leave=40_000)
        with pytest.raises(OSError, match=rf"cannot write {disk / name} .*: make room") as error:
            write_state_dict(disk / name, state, overwrite=True)
        assert error.value.errno == errno.ENOSPC
        assert {path.name for path in disk.iterdir()} == {"filler", name}
        make_read_only(disk)
        with pytest.raises(OSError, match=r"\(Read-only file system\): make room or give write"):
            write_state_dict(disk / name, state, overwrite=True)
        assert (disk / name).read_bytes() == before
