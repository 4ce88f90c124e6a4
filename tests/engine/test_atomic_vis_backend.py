"""Painted images are whole or not there, and a full disk is told."""

import subprocess

import numpy as np
import pytest
from mmengine.registry import VISBACKENDS
from PIL import Image

from glore_seg.engine import AtomicLocalVisBackend
from tests.disks import fill, small_disk

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


def test_writes_the_hosts_files(tmp_path):
    folders = []
    for kind in ("LocalVisBackend", "AtomicLocalVisBackend"):
        backend = VISBACKENDS.build({"type": kind, "save_dir": str(tmp_path / kind)})
        backend.add_image("street", NOISE, step=3)
        backend.add_scalar("loss", 0.5, step=1)
        folder = tmp_path / kind
        folders.append({p.relative_to(folder) for p in folder.rglob("*")})
    assert folders[0] == folders[1]
    path = tmp_path / "AtomicLocalVisBackend" / "vis_image" / "street_3.png"
    np.testing.assert_array_equal(np.asarray(Image.open(path)), NOISE)


def test_what_a_killed_run_was_writing_is_removed(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "vis_image").mkdir()
    (tmp_path / "vis_image" / f".street_0.{ended.pid}.unfinished.png").write_bytes(b"half")
    AtomicLocalVisBackend(str(tmp_path)).add_image("street", NOISE)
    assert [path.name for path in (tmp_path / "vis_image").iterdir()] == ["street_0.png"]


def test_a_full_disk_is_told(tmp_path):
    with small_disk(tmp_path / "disk", "40k") as disk:
        backend = AtomicLocalVisBackend(str(disk))
        backend.add_image("street", NOISE)
        before = (disk / "vis_image" / "street_0.png").read_bytes()
        fill(disk, leave=4096)
        with pytest.raises(OSError, match=r"cannot write .*street_0.png: is the disk full"):
            backend.add_image("street", NOISE // 2)
        assert [path.name for path in (disk / "vis_image").iterdir()] == ["street_0.png"]
        assert (disk / "vis_image" / "street_0.png").read_bytes() == before
