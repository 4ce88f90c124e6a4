"""Full disks and read-only folders: the error, and what is left."""

import errno

import numpy as np
import pytest

from glore_seg.evaluation.submission import SubmissionWriter
from tests.disks import fill, small_disk
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, expected

pytestmark = pytest.mark.slow


def run(disk, values=LABEL_IDS):
    writer = SubmissionWriter(disk / "work", expected(), {"split": "test"})
    writer.begin()
    for key in KEYS:
        if not writer.is_done(key):
            writer.write(key, values)
    return writer.finish(disk / "results.zip", progress=False)


def state(disk):
    return {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}


def test_a_disk_that_fills_up_while_images_are_written(tmp_path):
    noise = np.random.default_rng(0).choice(LABEL_IDS.ravel(), LABEL_IDS.shape)
    with small_disk(tmp_path / "disk", "60k") as disk:
        writer = SubmissionWriter(disk / "work", expected(), {"split": "test"})
        writer.begin()
        writer.write(KEYS[0], noise)
        before = state(disk)
        filler = fill(disk)
        path = disk / "work" / "images" / f"{KEYS[1]}_labelIds.png"
        with pytest.raises(OSError, match=rf"cannot write {path} \(No space left on dev") as error:
            writer.write(KEYS[1], noise)
        assert error.value.errno == errno.ENOSPC
        assert "make room or give write permission, then repeat the command" in str(error.value)
        filler.unlink()
        assert state(disk) == before
        assert run(disk, noise).lines() == ["no errors in 3 images"]


def test_a_full_disk_leaves_the_earlier_zip(tmp_path):
    with small_disk(tmp_path / "disk", "60k") as disk:
        run(disk)
        before = state(disk)
        filler = fill(disk)
        with pytest.raises(OSError, match=r"cannot write .*/(submission.json|results.zip) \(No sp"):
            run(disk)
        filler.unlink()
        assert state(disk) == before


def test_a_zip_that_has_no_room_leaves_the_earlier_one(tmp_path):
    """The images are on another disk."""
    run(tmp_path)
    writer = SubmissionWriter(tmp_path / "work", expected(), {"split": "test"})
    with small_disk(tmp_path / "disk", "12k") as disk:
        (disk / "results.zip").write_bytes(b"earlier")
        fill(disk)
        with pytest.raises(OSError, match=rf"cannot write {disk}/results.zip \(No space left"):
            writer.finish(disk / "results.zip", progress=False)
        assert {p.name for p in disk.iterdir()} == {"filler", "results.zip"}
        assert (disk / "results.zip").read_bytes() == b"earlier"
