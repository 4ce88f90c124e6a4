"""What building a runner changes in a config, and what it warns of."""

import sys

import pytest
from mmengine.config import Config

from glore_seg.engine import build_model, build_runner, make_resumable, warn_of_other_batch
from glore_seg.errors import MissingDependencyError
from tests.engine.toy import config


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        "glore_seg.engine.runner.print_log", lambda line, logger, level: lines.append(line)
    )
    return lines


def batch_config(batch_size, **train_cfg):
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
    warn_of_other_batch(batch_config(8, **{length: 100}))
    (line,) = said
    assert "batch size of 64; this run has 16 (8 on each of 1" in line
    assert line.endswith(end)


def test_the_same_batch_size_is_silent(said):
    warn_of_other_batch(batch_config(32, max_iters=100))
    assert said == []


@pytest.mark.parametrize(("by_epoch", "kind"), [(False, "Iter"), (True, "Epoch")])
def test_replaces_types_in_a_copy(tmp_path, by_epoch, kind):
    cfg = config(tmp_path, by_epoch=by_epoch)
    text = cfg.pretty_text
    found = make_resumable(cfg)
    assert cfg.pretty_text == text
    assert found.train_cfg.type == f"Resumable{kind}Loop"
    assert "by_epoch" not in found.train_cfg
    assert found.default_hooks.checkpoint.type == "AtomicCheckpointHook"
    assert found.default_hooks.checkpoint.interval == 2
    assert found.custom_imports.imports == ["glore_seg"]
    assert make_resumable(found).pretty_text == found.pretty_text


def test_own_types_and_test_configs_stay(tmp_path):
    cfg = config(tmp_path, train_cfg__type="MyLoop", default_hooks__checkpoint__type="MyHook")
    found = make_resumable(cfg)
    assert (found.train_cfg.type, found.default_hooks.checkpoint.type) == ("MyLoop", "MyHook")
    cfg.default_hooks.checkpoint = None
    assert make_resumable(cfg).default_hooks.checkpoint is None
    assert make_resumable(Config({"model": {}})).to_dict() == {"model": {}}


@pytest.mark.parametrize("imports", ["mine", ["mine"]])
def test_own_imports_stay(tmp_path, imports):
    cfg = config(tmp_path, custom_imports={"imports": imports})
    assert make_resumable(cfg).custom_imports.imports == ["mine", "glore_seg"]


def test_a_batch_sampler_keeps_upstreams_loop(tmp_path):
    cfg = config(tmp_path, train_dataloader__num_batch_per_epoch=2)
    assert "type" not in make_resumable(cfg).train_cfg


def test_no_workers_without_what_belongs_to_workers(tmp_path):
    """torch refuses both with ``num_workers=0``."""
    options = {"num_workers": 0, "persistent_workers": True, "prefetch_factor": 2}
    cfg = config(tmp_path, train_dataloader=options, val_dataloader=options)
    runner = build_runner(cfg)
    for loop in (runner.train_loop, runner.val_loop):
        assert loop.dataloader.num_workers == 0
        assert not loop.dataloader.persistent_workers
    assert cfg.train_dataloader.persistent_workers


def test_mmdet_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmdet", None)
    cfg = config(tmp_path, model__decode_head={"losses": [{"type": "mmdet.CrossEntropyLoss"}]})
    for build in (build_runner, build_model):
        with pytest.raises(MissingDependencyError, match="pip install mmdet"):
            build(cfg)
