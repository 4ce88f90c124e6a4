"""What is said of a run before it runs."""

import pytest
from mmengine.config import Config

from glore_seg.engine import warn_of_other_batch


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        "glore_seg.engine.runner.print_log", lambda line, logger, level: lines.append(line)
    )
    return lines


def config(batch_size, **train_cfg):
    return Config(
        {
            "auto_scale_lr": {"base_batch_size": 64},
            "train_dataloader": {"batch_size": batch_size},
            "optim_wrapper": {"accumulative_counts": 2},
            "train_cfg": train_cfg,
        }
    )


def test_another_batch_needs_another_rate_and_schedule(said):
    warn_of_other_batch(config(8, max_iters=100))
    (line,) = said
    assert line.startswith("the recipe's learning rate is for a batch of 64; this run has 16 (8 on")
    assert line.endswith("multiply those of train_cfg and param_scheduler by 4")


def test_epochs_need_no_other_schedule(said):
    warn_of_other_batch(config(8, max_epochs=100))
    assert said[0].endswith("or auto_scale_lr.enable=True")


def test_the_same_batch_is_silent(said):
    warn_of_other_batch(config(32, max_iters=100))
    assert said == []


def test_no_batch_is_refused():
    with pytest.raises(ValueError, match=r"train_dataloader\.batch_size is 0 and .* 1 or more"):
        warn_of_other_batch(config(0, max_iters=100))
