"""A training killed or stopped anywhere ends as an undisturbed one, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import islice

import pytest
import torch
from mmengine.hooks import Hook

from benchmarks.kills.checkpoints import compare, differences
from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.cli import run_tool
from glore_seg.engine import TrainingStopped
from tests.engine.toy import At, config, train
from tests.fixtures import REPOSITORY


class Killed(Exception):
    pass


def kill():
    raise Killed


def stop(signum=signal.SIGTERM):
    def send():
        os.kill(os.getpid(), signum)

    return send


@pytest.fixture(scope="module", params=[False, True], ids=["iterations", "epochs"])
def undisturbed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "undisturbed"
    train(config(folder, by_epoch=request.param))
    assert len(list(folder.glob("*.pth"))) == 3  # two kept and the best
    return folder, request.param


@pytest.mark.parametrize("moment", [1, 9, "validation"])
def test_an_interrupted_run_ends_the_same(undisturbed, tmp_path, moment):
    wanted, by_epoch = undisturbed
    cfg = {"by_epoch": by_epoch, "work_dir": str(tmp_path / "run")}
    hook = At(6 if by_epoch else 8, kill, "after_val_iter")
    with pytest.raises(Killed):
        train(
            config(tmp_path / "first", **cfg), hook if moment == "validation" else At(moment, kill)
        )
    train(config(tmp_path / "again", resume=True, **cfg))
    assert compare(wanted, tmp_path / "run") == []


@pytest.mark.parametrize("iteration", [5, 8])
def test_a_stopped_run_resumes_at_that_iteration(undisturbed, tmp_path, iteration):
    wanted, by_epoch = undisturbed
    work_dir = {"by_epoch": by_epoch, "work_dir": str(tmp_path / "run")}
    with pytest.raises(TrainingStopped, match=rf"SIGTERM at iteration {iteration}: .*--resume"):
        train(config(tmp_path / "first", **work_dir), At(iteration, stop()))
    runner = train(config(tmp_path / "again", resume=True, **work_dir))
    assert runner.iter == 12
    assert len(runner.message_hub.get_scalar("train/loss").data[0]) == 12
    assert compare(wanted, tmp_path / "run") == []


def test_a_stop_in_validation_saves_the_weights_and_not_their_average(undisturbed, tmp_path):
    _, by_epoch = undisturbed
    work_dir = {"by_epoch": by_epoch, "work_dir": str(tmp_path / "run")}
    options = {**work_dir, "default_hooks__checkpoint__interval": 3}  # not when validation is due
    iteration = 6 if by_epoch else 4
    with pytest.raises(TrainingStopped):
        train(config(tmp_path / "first", **options), At(iteration, stop(), "after_val_iter"))
    state = torch.load(tmp_path / "run" / f"iter_{iteration}.pth", weights_only=False)
    assert state["glore_seg"]["validated"] is False
    train(config(tmp_path / "other", **{**options, "work_dir": str(tmp_path / "undisturbed")}))
    train(config(tmp_path / "again", resume=True, **options))
    assert compare(tmp_path / "undisturbed", tmp_path / "run") == []


@pytest.mark.parametrize("persistent", [False, True])
def test_the_number_of_data_workers_does_not_matter(undisturbed, tmp_path, persistent):
    wanted, by_epoch = undisturbed
    loader = {"num_workers": 1 + persistent, "persistent_workers": persistent}
    options = {f"train_dataloader__{key}": value for key, value in loader.items()}
    train(config(tmp_path / "run", by_epoch=by_epoch, **options))
    assert compare(wanted, tmp_path / "run") == []


@pytest.mark.slow
def test_kill_9_at_a_random_moment(tmp_path):
    """With workers, from outside; benchmarks/kills does it often, with real trainings."""
    train(config(tmp_path / "undisturbed"))
    command = [sys.executable, "-m", "tests.engine.toy", str(tmp_path / "run"), "2"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=env, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not list((tmp_path / "run").glob("iter_*.pth")) and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.3))
    process.kill()
    process.wait()
    train(config(tmp_path / "again", work_dir=str(tmp_path / "run"), resume=True))
    assert compare(tmp_path / "undisturbed", tmp_path / "run") == []


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 138)]
)
def test_exit_code_and_message(tmp_path, capsys, signum, code):
    before = signal.getsignal(signum)
    with pytest.raises(SystemExit) as left:
        run_tool(lambda: train(config(tmp_path), At(3, stop(signum))))
    assert left.value.code == code
    name = signal.Signals(signum).name
    assert f"stopped by {name} at iteration 3: {tmp_path}/iter_3.pth is saved" in (
        capsys.readouterr().err
    )
    assert signal.getsignal(signum) is before
    assert (tmp_path / "last_checkpoint").read_text() == f"{tmp_path}/iter_3.pth"


def test_a_stop_waits_for_the_optimizers_step(tmp_path):
    options = {"optim_wrapper__accumulative_counts": 2}
    with pytest.raises(TrainingStopped, match="at iteration 6"):
        train(config(tmp_path, **options), At(5, stop()))


def test_a_resumed_run_keeps_its_seed(tmp_path):
    """Without a seed in the config a run draws one; a restart must not draw another."""
    options = {"randomness__seed": None, "work_dir": str(tmp_path / "run")}
    with pytest.raises(TrainingStopped):
        train(config(tmp_path / "first", **options), At(5, stop()))
    runner = train(config(tmp_path / "again", resume=True, **options))
    undisturbed = train(config(tmp_path / "undisturbed", randomness__seed=runner.seed))
    wanted, found = (one.train_loop.dataloader.sampler for one in (undisturbed, runner))
    assert list(islice(wanted, 20)) == list(islice(found, 20))


def test_differences_are_found():
    one = {"a": torch.tensor([1.0]), "b": [1, (2.0, "x")]}
    assert list(differences(one, {"a": torch.tensor([1.0]), "b": [1, (2.0, "x")]})) == []
    other = {"a": torch.tensor([1.0 + 2e-7]), "b": [1, (3.0, "x")]}
    assert set(differences(one, other)) == {".a", ".b.1.0"}


@pytest.mark.parametrize("save_best", [None, "score"])
def test_the_checkpoint_of_a_stop_stays_until_the_next_regular_one(tmp_path, save_best):
    """Although a validation and a kill come before it."""
    rare = {
        "work_dir": str(tmp_path / "run"),
        "default_hooks__checkpoint__interval": 10,
        "default_hooks__checkpoint__save_best": save_best,
    }
    with pytest.raises(TrainingStopped):
        train(config(tmp_path / "first", **rare), At(3, stop()))
    with pytest.raises(Killed):
        train(config(tmp_path / "second", resume=True, **rare), At(6, kill))
    assert find_latest_valid_checkpoint(tmp_path / "run").path == tmp_path / "run" / "iter_3.pth"
    train(config(tmp_path / "third", resume=True, **rare))
    names = {path.name for path in (tmp_path / "run").glob("iter_*.pth")}
    assert names == {"iter_10.pth", "iter_12.pth"}


class Count(Hook):
    done = 0

    def after_train_iter(self, *args, **options):
        self.done += 1


@pytest.mark.parametrize(("batch_size", "length"), [(2, 4), (6, 2)])
def test_epochs_go_on_with_another_batch_size(tmp_path, batch_size, length):
    """Counted by the new length, an epoch was left out, or the position came out negative."""
    cfg = {"by_epoch": True, "work_dir": str(tmp_path / "run")}
    train(config(tmp_path / "first", train_cfg__max_epochs=2, **cfg))
    again = config(tmp_path / "again", resume=True, train_dataloader__batch_size=batch_size, **cfg)
    count = Count()
    runner = train(again, count)
    assert (runner.epoch, runner.iter, count.done) == (4, 4 * length, 2 * length)
