"""Building a runner and its parts."""

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


@pytest.mark.parametrize(
    ("length", "end"),
    [("max_iters", "param_scheduler by 4"), ("max_epochs", "auto_scale_lr.enable=True")],
)
def test_another_batch_size_needs_another_rate_and_schedule(said, length, end):
    warn_of_other_batch(config(8, **{length: 100}))
    (line,) = said
    assert "batch size of 64; this run has 16 (8 on each of 1" in line
    assert line.endswith(end)


def test_the_same_batch_size_is_silent(said):
    warn_of_other_batch(config(32, max_iters=100))
    assert said == []
