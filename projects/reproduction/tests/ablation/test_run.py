"""Runs as processes: order, resumption, failure; a script stands for training, which takes long."""

import json
import signal

import pytest
import torch
from mmengine.config import Config

from glore_seg.errors import GloReSegError
from projects.reproduction.ablation import run as running
from projects.reproduction.ablation.plan import plan_runs
from projects.reproduction.ablation.run import run_all
from projects.reproduction.tests.ablation.runs import log

TRAIN = """
import json, os, sys
from pathlib import Path

sys.path.insert(0, {root!r})
from projects.reproduction.tests.ablation.runs import log

work_dir = Path(sys.argv[sys.argv.index("--work-dir") + 1])
with open({calls!r}, "a") as file:
    file.write(json.dumps([sys.argv[1:], os.environ.get("CUDA_VISIBLE_DEVICES")]) + "\\n")
print("training", work_dir)
if {fails!r} and {fails!r} in str(work_dir):
    sys.exit({words!r})
log(work_dir, {{2: 1.0, 4: 2.0}}, until=4)
"""


@pytest.fixture
def runs(rows):
    return plan_runs(rows, [0, 1])


@pytest.fixture
def train(tmp_path, request):
    """Runs them with the script; gives the calls as (arguments, CUDA_VISIBLE_DEVICES)."""
    calls = tmp_path / "calls.jsonl"

    def train(runs, *, fails="", words="out of memory\n", **options):
        tool = tmp_path / "train.py"
        root = str(request.config.rootpath)
        tool.write_text(TRAIN.format(root=root, calls=str(calls), fails=fails, words=words))
        run_all(runs, tool, poll_seconds=0.05, **options)
        return [json.loads(line) for line in calls.read_text().splitlines()]

    return train


@pytest.fixture
def endless(tmp_path):
    tool = tmp_path / "endless.py"
    tool.write_text("import time\ntime.sleep(60)\n")
    return tool


def test_all_runs_in_order_and_once(runs, train, tmp_path, capsys):
    for run, (arguments, _) in zip(runs, train(runs), strict=True):
        assert arguments[0] == str(run.row.folder / f"{run.row.name}.py")
        assert arguments[1:3] == ["--work-dir", str(run.work_dir)]
        assert arguments[3:] == ["--cfg-options", f"randomness.seed={run.seed}"]
    assert Config.fromfile(tmp_path / "out" / "a" / "a.py").train_cfg.max_iters == 4
    assert all(run.finished() for run in runs)
    assert (runs[0].work_dir / "train.log").read_text() == f"training {runs[0].work_dir}\n"
    out = capsys.readouterr().out
    assert "a seed 0 begins at iteration 0; 0 of 16 iterations of the set\n" in out
    assert "b seed 1 is done; 16 of 16 iterations of the set, about 0 min left\n" in out


def test_finished_runs_are_kept_and_half_ones_go_on(runs, train):
    log(runs[0].work_dir, {2: 1.0, 4: 9.0}, until=4)
    log(runs[1].work_dir, {2: 1.0}, until=3)
    log(runs[2].work_dir, {}, until=1)  # no checkpoint yet
    (half, _), (early, _) = train(runs[:3])
    # no file: train.py finds the newest that is valid, and does the validation that was cut off
    assert half[3:5] == ["--resume", "--cfg-options"]
    assert "--resume" not in early


@pytest.mark.slow
@pytest.mark.parametrize(
    ("visible", "gpus", "seen"),
    [
        (None, [3, 5], (["3", "3", "5", "5"], ["3", "5", "5", "5"])),  # one run at a time on each
        ("6,GPU-7", [1], (["GPU-7"] * 4,)),  # of those that a scheduler leaves
    ],
)
def test_gpus(runs, train, monkeypatch, visible, gpus, seen):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 6)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert sorted(gpu for _, gpu in train(runs, gpus=gpus)) in seen


@pytest.mark.slow
def test_after_a_failure_the_others_go_on(runs, train):
    with pytest.raises(
        GloReSegError,
        match=r"^2 of 4 runs failed, the first a seed 0 with exit code 1\. The same command goes "
        r"on where they stopped; remove .* anew\. .*/a/seed0/train\.log ends with: out of memory$",
    ):
        train(runs, fails="/a/")
    assert [run.finished() for run in runs] == [False, True, False, True]
    with pytest.raises(GloReSegError, match=r"log ends with: error: the second$"):
        train(runs[:1], fails="/a/", words="error: the first\nerror: the second\nleaving\n")
    # of the last attempt alone; an exit without a score is a failure, too
    with pytest.raises(
        GloReSegError, match=r"no mIoU of iteration 4 in its .* with: training \S+$"
    ):
        train(runs[:1], fails="/a/", words=0)


def test_a_run_that_another_process_trains_is_refused(runs, endless):
    other = running._start(runs[0], endless, None).process
    try:
        with pytest.raises(GloReSegError, match=r"is training in .*a/seed0: wait"):
            run_all(runs, endless)
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs is 0"),
        ({"gpus": [2]}, "gpus are 2, and torch finds 2 GPUs here"),
        ({"gpus": [0, -1]}, "gpus are 0 -1, and torch finds 2 GPUs here"),
        ({"gpus": [1, 1]}, "gpus are 1 1, and torch finds 2 GPUs here"),
    ],
)
def test_what_is_refused(runs, tmp_path, monkeypatch, options, message):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=message):
        run_all(runs, tmp_path, **options)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_trainings(runs, endless, monkeypatch, capsys, signum):
    started = []
    start = running._start
    monkeypatch.setattr(running, "_start", lambda *a: started.append(start(*a)) or started[-1])

    def impatient(seconds):
        signal.raise_signal(signum)
        signal.raise_signal(signum)

    monkeypatch.setattr(running.time, "sleep", impatient)
    before = signal.getsignal(signal.SIGTERM)
    # Python's own handler, which a job of a shell's background does not have.
    interrupts = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt if signum == signal.SIGINT else SystemExit) as end:
            run_all(runs, endless, jobs=2)
    finally:
        signal.signal(signal.SIGINT, interrupts)
    assert signal.getsignal(signal.SIGTERM) is before
    assert end.value.__context__ is None  # no traceback of another
    assert [training.process.returncode for training in started] == [-15, -15]
    assert "what is done is kept; 0 of 16 iterations" in capsys.readouterr().out
