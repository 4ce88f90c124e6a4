"""Files and images are complete or absent, and a full disk raises."""

import resource

import numpy as np
import pytest
import torch
from mmengine.registry import VISBACKENDS
from mmengine.runner.checkpoint import save_checkpoint
from PIL import Image

from glore_seg.engine import AtomicLocalBackend, AtomicLocalVisBackend
from glore_seg.errors import OutputError
from tests.disks import fill, make_read_only, small_disk
from tests.leftovers import leave_temporary

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


def test_upstreams_writer_takes_the_backend(tmp_path):
    path = tmp_path / "new" / "x.pth"
    save_checkpoint({"a": torch.ones(2)}, str(path), backend_args={"backend": "atomic_local"})
    assert torch.load(path)["a"].tolist() == [1, 1]
    assert [path.name for path in path.parent.iterdir()] == ["x.pth"]


def test_a_read_only_folder(tmp_path):
    with small_disk(tmp_path / "disk", "300k") as disk:
        (disk / "iter_2.pth").write_bytes(b"old")
        make_read_only(disk)
        with pytest.raises(OutputError, match=r"iter_2\.pth \(Read-only file system\)"):
            AtomicLocalBackend().put(b"new", disk / "iter_2.pth")
        assert (disk / "iter_2.pth").read_bytes() == b"old"


def test_a_file_that_grows_too_large(tmp_path):
    """Like a quota; needs no root."""
    path = tmp_path / "iter_2.pth"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match=rf"cannot write {path} \(File too large\)"):
            AtomicLocalBackend().put(bytes(5000), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["iter_2.pth"]
    assert path.read_bytes() == b"old"


def test_images_are_those_of_upstream(tmp_path):
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


def test_temporary_images_of_a_killed_run_are_removed(tmp_path):
    leave_temporary(tmp_path / "vis_image" / "street_0.png")
    AtomicLocalVisBackend(str(tmp_path)).add_image("street", NOISE)
    assert [path.name for path in (tmp_path / "vis_image").iterdir()] == ["street_0.png"]


def test_a_full_disk(tmp_path):
    with small_disk(tmp_path / "disk", "40k") as disk:
        backend = AtomicLocalVisBackend(str(disk))
        backend.add_image("street", NOISE)
        before = (disk / "vis_image" / "street_0.png").read_bytes()
        fill(disk, leave=4096)
        with pytest.raises(OutputError, match=r"cannot write .*street_0\.png"):
            backend.add_image("street", NOISE // 2)
        assert [path.name for path in (disk / "vis_image").iterdir()] == ["street_0.png"]
        assert (disk / "vis_image" / "street_0.png").read_bytes() == before
