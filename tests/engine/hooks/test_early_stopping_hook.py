"""Early stopping: its count is part of the checkpoints, and a stopped training stays stopped."""

import pytest
import torch

from benchmarks.kills.checkpoints import compare
from glore_seg.engine import (
    ResumableEarlyStoppingHook,
    TrainingStopped,
    build_runner,
    forget_training,
)
from tests.engine.test_restarts import Killed, kill, stop
from tests.engine.toy import At, config, train


def early(work_dir, /, *, patience=3, **changes):
    """Validated every other iteration or epoch; no score after the first counts as better."""
    stopping = {"type": "EarlyStoppingHook", "monitor": "score", "rule": "less"}
    stopping |= {"min_delta": 1000.0, "patience": patience}
    interval = 1 if changes.get("by_epoch") else 2
    changes = {"train_cfg__val_interval": interval, "log_level": "WARNING", **changes}
    cfg = config(work_dir, **changes)
    cfg.custom_hooks = [*cfg.custom_hooks, stopping]
    return cfg


def state(path):
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize(("interval", "names"), [(2, {6, 8}), (3, {6, 8})])
def test_the_moment_of_the_stop_is_saved(tmp_path, interval, names):
    checkpoint = {"interval": interval, "save_best": None}  # which would save that moment, too
    runner = train(early(tmp_path, default_hooks__checkpoint=checkpoint))
    assert runner.iter == 8
    found = state(tmp_path / "iter_8.pth")
    assert found["message_hub"]["runtime_info"]["early_stopping/score"][0] == 3
    assert found["meta"]["iter"] == 8
    assert found["glore_seg"]["validated"]
    assert (tmp_path / "last_checkpoint").read_text() == f"{tmp_path}/iter_8.pth"
    kept = {path.name for path in tmp_path.glob("iter_*.pth")}
    assert {f"iter_{name}.pth" for name in names} <= kept


@pytest.mark.parametrize("by_epoch", [False, True])
def test_a_stopped_training_resumes_only_with_other_settings(tmp_path, capfd, by_epoch):
    run = {"work_dir": str(tmp_path / "run"), "by_epoch": by_epoch}
    patience = 2
    done = 9 if by_epoch else 6
    assert train(early(tmp_path / "first", patience=patience, **run)).iter == done
    runner = train(early(tmp_path / "again", resume=True, patience=patience, **run))
    assert runner.iter == done
    said = "".join(capfd.readouterr())
    assert f"at iteration {done}: score is not better" in said
    assert "(patience=2)" in said
    runner = train(early(tmp_path / "on", resume=True, patience=9, **run))
    assert runner.iter == 12


@pytest.mark.parametrize("moment", [5, 7, "validation"])
def test_an_interrupted_run_stops_at_the_same_iteration(tmp_path, moment):
    wanted = tmp_path / "undisturbed"
    train(early(wanted))
    run = {"work_dir": str(tmp_path / "run")}
    hook = At(6, kill, "after_val_iter") if moment == "validation" else At(moment, kill)
    with pytest.raises(Killed):
        train(early(tmp_path / "first", **run), hook)
    assert train(early(tmp_path / "again", resume=True, **run)).iter == 8
    assert compare(wanted, tmp_path / "run") == []


@pytest.mark.parametrize("stage", [None, "after_val_iter", "after_val_epoch"])
def test_a_pending_validation_leaves_the_regular_checkpoint(tmp_path, stage):
    """Early stopping ends the resumed training with it, or a signal in it or right after it."""
    run = {"work_dir": str(tmp_path / "run")}
    run["default_hooks__checkpoint"] = {"max_keep_ckpts": -1, "save_best": None}
    with pytest.raises(Killed):
        train(early(tmp_path / "first", **run), At(8, kill, "after_val_iter"))
    again = early(tmp_path / "again", patience=99 if stage else 3, resume=True, **run)
    if stage:
        with pytest.raises(TrainingStopped, match="at iteration 8"):
            train(again, At(8, stop(), stage))
    else:
        assert train(again).iter == 8
    saved = state(tmp_path / "run" / "iter_8.pth")["glore_seg"]
    assert saved == {"validated": stage != "after_val_iter", "outdated": []}
    assert train(early(tmp_path / "on", patience=99, resume=True, **run)).iter == 12
    names = {path.name for path in (tmp_path / "run").glob("iter_*.pth")}
    assert names == {f"iter_{number}.pth" for number in (2, 4, 6, 8, 10, 12)}


@pytest.mark.parametrize(
    ("options", "score", "reason"),
    [
        ({}, float("nan"), "score is nan"),
        ({"check_finite": False, "patience": 9}, float("nan"), ""),
        ({"stopping_threshold": 0.5}, 0.25, "score is 0.25 (stopping_threshold=0.5)"),
        ({"stopping_threshold": 0.2}, 0.25, ""),
    ],
)
def test_other_reasons(options, score, reason):
    hook = ResumableEarlyStoppingHook("score", rule="less", **options)
    assert hook._reason(score).startswith(reason)
    assert bool(hook._reason(score)) == bool(reason)


def test_a_test_has_no_training_to_stop(tmp_path):
    cfg = early(tmp_path)
    cfg.test_dataloader, cfg.test_evaluator, cfg.test_cfg = (
        cfg.val_dataloader,
        cfg.val_evaluator,
        {},
    )
    runner = build_runner(cfg)
    forget_training(runner)
    assert "score" in runner.test()
