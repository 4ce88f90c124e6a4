"""Files that are whole or not there, and the good one among damaged ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner.checkpoint import save_checkpoint

from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.engine import use_resume
from glore_seg.engine.atomic_local_backend import AtomicLocalBackend
from glore_seg.utils.files import corruption_reason
from tests.disks import fill, make_read_only, small_disk
from tests.engine.toy import At, config, train

ROOT = Path(__file__).parents[3]


@pytest.fixture
def three(tmp_path):
    """Checkpoints of iterations 2, 4 and 6, and mmengine's note of the last."""
    for step in (2, 4, 6):
        torch.save({"weight": torch.full((1000,), float(step))}, tmp_path / f"iter_{step}.pth")
        os.utime(tmp_path / f"iter_{step}.pth", (step, step))
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_6.pth"))
    return tmp_path


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    stored = bytearray(path.read_bytes())
    place = stored.index(torch.tensor([6.0] * 4).numpy().tobytes())
    stored[place] ^= 1
    path.write_bytes(stored)


def test_whole_ones_are_whole(three):
    assert corruption_reason(three / "iter_6.pth") is None
    assert find_latest_valid_checkpoint(three) == find_latest_valid_checkpoint(
        three, ["iter_*.pth"]
    )
    assert find_latest_valid_checkpoint(three).good == three / "iter_6.pth"
    assert find_latest_valid_checkpoint(three).damaged == ()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (cut, "File is not a zip file"),
        (flip_a_bit, r"the checksum of .*data/0 is another"),
        (lambda path: path.write_bytes(b""), "File is not a zip file"),
    ],
)
def test_the_last_good_one_is_found(three, harm, reason):
    harm(three / "iter_6.pth")
    search = find_latest_valid_checkpoint(three)
    assert search.good == three / "iter_4.pth"
    (said,) = search.damaged
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(said)
    # torch itself takes a flipped bit for a weight
    if harm is flip_a_bit:
        assert torch.load(three / "iter_6.pth")["weight"].max() != 6


def test_the_note_of_the_last_goes_first_and_may_be_wrong(three, tmp_path):
    note = three / "last_checkpoint"
    note.write_text(str(three / "iter_4.pth"))  # a run that was begun anew in an old folder
    assert find_latest_valid_checkpoint(three).good == three / "iter_4.pth"
    for text in ("", "iter_9.pth", "\0", "x" * 5000):
        note.write_text(text)
        assert find_latest_valid_checkpoint(three).good == three / "iter_6.pth"
    note.write_text("/elsewhere/iter_2.pth")  # the folder was moved
    assert find_latest_valid_checkpoint(three).good == three / "iter_2.pth"
    note.unlink()
    assert find_latest_valid_checkpoint(three).good == three / "iter_6.pth"
    assert find_latest_valid_checkpoint(tmp_path / "empty").good is None


def test_resume_warns_of_a_damaged_one_and_ends_the_same(tmp_path, capfd):
    wanted = train(config(tmp_path / "whole"))
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    cut(tmp_path / "run" / "iter_12.pth")
    cfg = config(tmp_path / "again", work_dir=str(tmp_path / "run"), resume=True)
    cfg.log_level = "WARNING"
    found = train(cfg)
    text = f"{tmp_path}/run/iter_12.pth (File is not a zip file) is damaged; going on from the last"
    assert f"{text} good one, {tmp_path}/run/iter_10.pth" in "".join(capfd.readouterr())
    for name, value in wanted.model.state_dict().items():
        assert torch.equal(found.model.state_dict()[name], value), name
    assert corruption_reason(tmp_path / "run" / "iter_12.pth") is None


def test_resume_with_nothing_whole_or_a_damaged_one_given(tmp_path):
    cfg = config(tmp_path, resume=True, train_cfg__max_iters=4)
    train(cfg)  # nothing there: from the beginning
    for path in tmp_path.glob("iter_*.pth"):
        cut(path)
    with pytest.raises(ValueError, match=r"no checkpoint in .* is whole: .*iter_4.*iter_2.*anew"):
        train(cfg)
    cfg.load_from = str(tmp_path / "iter_4.pth")
    with pytest.raises(ValueError, match=r"iter_4.pth is damaged .*give another checkpoint"):
        train(cfg)


def test_resume_with_nothing_there_begins_with_the_weights_of_the_config(tmp_path):
    train(config(tmp_path / "pretrained"))
    given = str(tmp_path / "pretrained" / "iter_12.pth")
    ends = []
    for name, resumes in (("plain", False), ("resumed", True)):
        cfg = config(tmp_path / name, load_from=given, train_cfg__max_iters=4)
        if resumes:
            use_resume(cfg)
        ends.append(train(cfg).model.state_dict())
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    cfg = config(tmp_path / "scratch", train_cfg__max_iters=4)
    use_resume(cfg)
    scratch = train(cfg).model.state_dict()
    assert not torch.equal(scratch["layers.0.weight"], ends[0]["layers.0.weight"])
    folder = str(tmp_path / "resumed")
    cfg = config(tmp_path / "again", work_dir=folder, load_from=given, train_cfg__max_iters=6)
    use_resume(cfg)  # now there is one, and it goes before load_from
    assert train(cfg).iter == 6
    assert corruption_reason(tmp_path / "resumed" / "iter_6.pth") is None


def test_retention_removes_after_writing(tmp_path, monkeypatch):
    """With one to keep the old one is there until the new one is."""
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


def test_a_run_that_goes_on_from_another_folder_removes_nothing_there(tmp_path):
    from glore_seg.engine import TrainingStopped
    from tests.engine.test_restarts import stop

    with pytest.raises(TrainingStopped):
        train(config(tmp_path / "old"), At(7, stop()))
    before = sorted(path.name for path in (tmp_path / "old").glob("*.pth"))
    assert "iter_7.pth" in before
    given = str(tmp_path / "old" / "iter_7.pth")
    train(config(tmp_path / "new", resume=True, load_from=given))
    assert sorted(path.name for path in (tmp_path / "old").glob("*.pth")) == before
    assert (tmp_path / "new" / "iter_12.pth").exists()


def test_a_full_disk_says_so_and_leaves_the_last_one(tmp_path):
    with small_disk(tmp_path / "disk", "300k") as disk:
        cfg = config(tmp_path / "run", default_hooks__checkpoint__out_dir=str(disk))

        message = (
            r"cannot write .*iter_6.pth \(No space left on device\): 0\.\d MB are needed, 0\.0"
        )
        with pytest.raises(OSError, match=message):
            train(cfg, At(5, lambda: fill(disk, leave=8000)))
        whole = {path.name for path in (disk / "run").glob("[!.]*")}
        assert {"iter_2.pth", "iter_4.pth"} < whole
        assert all(corruption_reason(disk / "run" / name) is None for name in whole)
        assert not list((disk / "run").glob(".*"))
        (disk / "filler").unlink()
        cfg.resume = True
        train(cfg)
        assert (disk / "run" / "iter_12.pth").exists()


def test_a_folder_without_permission(tmp_path):
    with small_disk(tmp_path / "disk", "300k") as disk:
        (disk / "iter_2.pth").write_bytes(b"old")
        make_read_only(disk)
        with pytest.raises(OSError, match=r"Read-only file system.*give write permission"):
            AtomicLocalBackend().put(b"new", disk / "iter_2.pth")
        assert (disk / "iter_2.pth").read_bytes() == b"old"


def test_a_file_that_grows_too_large(tmp_path):
    """As a quota: no root is needed."""
    code = (
        "import resource; from glore_seg.engine.atomic_local_backend import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"AtomicLocalBackend().put(bytes(5000), {str(tmp_path / 'iter_2.pth')!r})"
    )
    (tmp_path / "iter_2.pth").write_bytes(b"old")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "cannot write" in ended.stderr
    assert "(File too large): 0.0 MB are needed" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["iter_2.pth"]
    assert (tmp_path / "iter_2.pth").read_bytes() == b"old"


def test_the_hosts_writer_takes_the_backend(tmp_path):
    path = tmp_path / "new" / "x.pth"
    save_checkpoint({"a": torch.ones(2)}, str(path), backend_args={"backend": "atomic_local"})
    assert torch.load(path)["a"].tolist() == [1, 1]


def test_a_best_that_no_score_tells(tmp_path):
    options = {"default_hooks__checkpoint__save_best": "mscore"}
    options["default_hooks__checkpoint__rule"] = "greater"
    with pytest.raises(ValueError, match=r"save_best is 'mscore', .*; expected one of score: set"):
        train(config(tmp_path, **options))
    assert list(tmp_path.glob("iter_*.pth"))
