"""Checkpoints are complete or absent, and a training resumes from the last valid one."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.engine import AtomicLocalBackend, TrainingStopped, use_resume
from glore_seg.errors import CheckpointError, OutputError
from glore_seg.utils.files import corruption_reason
from tests.disks import fill, small_disk
from tests.engine.test_restarts import stop
from tests.engine.toy import At, config, train


@pytest.fixture
def three(tmp_path):
    """Checkpoints of iterations 2, 4 and 6, and mmengine's note of the last."""
    for step in (2, 4, 6):
        torch.save({"weight": torch.full((1000,), float(step))}, tmp_path / f"iter_{step}.pth")
        os.utime(tmp_path / f"iter_{step}.pth", (step, step))
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_6.pth"))
    return tmp_path


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    stored = bytearray(path.read_bytes())
    stored[stored.index(torch.tensor([6.0] * 4).numpy().tobytes())] ^= 1
    path.write_bytes(stored)


@pytest.mark.parametrize("corrupt", [truncate, flip_a_bit, lambda path: path.write_bytes(b"")])
def test_the_last_valid_one_is_found(three, corrupt):
    assert find_latest_valid_checkpoint(three).path == three / "iter_6.pth"
    assert find_latest_valid_checkpoint(three).corrupted == ()
    corrupt(three / "iter_6.pth")
    search = find_latest_valid_checkpoint(three)
    assert search.path == three / "iter_4.pth"
    (corrupted,) = search.corrupted
    assert corrupted.startswith(f"{three}/iter_6.pth (")
    if corrupt is flip_a_bit:  # which torch itself takes for a weight
        assert torch.load(three / "iter_6.pth")["weight"].max() != 6


def test_last_checkpoint_comes_first_and_may_be_wrong(three, tmp_path):
    note = three / "last_checkpoint"
    note.write_text(str(three / "iter_4.pth"))  # a run that was started anew in an old folder
    assert find_latest_valid_checkpoint(three).path == three / "iter_4.pth"
    for text in ("", "iter_9.pth", "\0", "x" * 5000):
        note.write_text(text)
        assert find_latest_valid_checkpoint(three).path == three / "iter_6.pth"
    note.write_text("/elsewhere/iter_2.pth")  # the folder was moved
    assert find_latest_valid_checkpoint(three).path == three / "iter_2.pth"
    note.unlink()
    assert find_latest_valid_checkpoint(three).path == three / "iter_6.pth"
    assert find_latest_valid_checkpoint(tmp_path / "empty").path is None


def test_resume_warns_of_a_corrupted_one_and_ends_the_same(tmp_path, capfd):
    wanted = train(config(tmp_path / "undisturbed"))
    shutil.copytree(tmp_path / "undisturbed", tmp_path / "run")
    truncate(tmp_path / "run" / "iter_12.pth")
    cfg = config(tmp_path / "again", work_dir=str(tmp_path / "run"), resume=True)
    cfg.log_level = "WARNING"
    found = train(cfg)
    said = "".join(capfd.readouterr())
    assert f"corrupted: {tmp_path}/run/iter_12.pth (" in said
    assert f"Resuming from the last valid one, {tmp_path}/run/iter_10.pth" in said
    for name, value in wanted.model.state_dict().items():
        assert torch.equal(found.model.state_dict()[name], value), name


def test_resume_with_corrupted_checkpoints_only(tmp_path):
    cfg = config(tmp_path, resume=True, train_cfg__max_iters=4)
    train(cfg)  # none there: from scratch
    for path in tmp_path.glob("iter_*.pth"):
        truncate(path)
    with pytest.raises(CheckpointError, match=r"iter_4.*iter_2"):
        train(cfg)
    cfg.load_from = str(tmp_path / "iter_4.pth")
    with pytest.raises(CheckpointError, match=r"iter_4\.pth .* corrupted"):
        train(cfg)


def test_resume_with_no_checkpoint_starts_from_the_weights_of_the_config(tmp_path):
    train(config(tmp_path / "pretrained"))
    given = str(tmp_path / "pretrained" / "iter_12.pth")
    ends = []
    for name, resumes in (("plain", False), ("resumed", True)):
        cfg = config(tmp_path / name, load_from=given, train_cfg__max_iters=4)
        if resumes:
            use_resume(cfg)
        ends.append(train(cfg).model.state_dict())
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    folder = str(tmp_path / "resumed")
    cfg = config(tmp_path / "again", work_dir=folder, load_from=given, train_cfg__max_iters=6)
    use_resume(cfg)  # now there is one, and it goes before load_from
    assert train(cfg).iter == 6


def test_a_checkpoint_is_removed_after_the_next_is_written(tmp_path, monkeypatch):
    seen = []
    write = AtomicLocalBackend.put

    def put(self, obj, filepath):
        seen.append((Path(filepath).name, {path.name for path in tmp_path.glob("iter_*.pth")}))
        write(self, obj, filepath)

    monkeypatch.setattr(AtomicLocalBackend, "put", put)
    train(config(tmp_path, default_hooks__checkpoint__max_keep_ckpts=1))
    for name, there in seen:
        if name.startswith("iter_") and name not in ("iter_2.pth", *there):
            assert there == {f"iter_{int(name[5:-4]) - 2}.pth"}
    assert [path.name for path in tmp_path.glob("iter_*.pth")] == ["iter_12.pth"]
    assert len(list(tmp_path.glob("best_*"))) == 1


def test_a_run_resumed_in_another_folder_removes_nothing_in_the_old_one(tmp_path):
    with pytest.raises(TrainingStopped):
        train(config(tmp_path / "old"), At(7, stop()))
    before = sorted(path.name for path in (tmp_path / "old").glob("*.pth"))
    assert "iter_7.pth" in before
    given = str(tmp_path / "old" / "iter_7.pth")
    train(config(tmp_path / "new", resume=True, load_from=given))
    assert sorted(path.name for path in (tmp_path / "old").glob("*.pth")) == before
    assert (tmp_path / "new" / "iter_12.pth").exists()


def test_a_full_disk_leaves_the_last_one(tmp_path):
    with small_disk(tmp_path / "disk", "300k") as disk:
        cfg = config(tmp_path / "run", default_hooks__checkpoint__out_dir=str(disk))
        with pytest.raises(OutputError, match=r"iter_6\.pth \(No space left on device\)"):
            train(cfg, At(5, lambda: fill(disk, leave=8000)))
        there = {path.name for path in (disk / "run").glob("[!.]*")}
        assert {"iter_2.pth", "iter_4.pth"} < there
        assert all(corruption_reason(disk / "run" / name) is None for name in there)
        assert not list((disk / "run").glob(".*"))
        (disk / "filler").unlink()
        cfg.resume = True
        train(cfg)
        assert (disk / "run" / "iter_12.pth").exists()
