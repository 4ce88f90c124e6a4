"""Every config gets the loops and the hook; types that it names itself stay."""

import pytest
from mmengine.config import Config

from glore_seg.engine import make_resumable
from tests.engine.toy import config


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
