"""Checkpoints and data that do not fit are refused, whatever the config."""

import pytest
import torch
from mmengine.dataset import BaseDataset
from torch import nn

from glore_seg.engine import SetupCheckHook, build_runner
from glore_seg.engine.hooks.setup_check_hook import (
    check_classes,
    check_same_classes,
    check_state_dict,
)
from glore_seg.errors import CheckpointError, ConfigError, DataError
from glore_seg.layers import GloReUnit
from tests.configs.shrinking import name_run
from tests.engine.toy import config

STOCK = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations"},
    {"type": "PackSegInputs"},
]


def check(model, state, strict=True):
    check_state_dict(model, state, source="weights.pth", strict=strict)


def test_what_fits():
    unit = GloReUnit(16)
    state = unit.state_dict()
    check(unit, state)
    check(unit, {f"module.{k}": v for k, v in state.items()})
    check(unit, {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")})
    check(unit, {**state, "auxiliary_head.conv_seg.weight": torch.zeros(1)})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (GloReUnit(16, num_graph_convs=2), r"12 of 12 .*3 not in the model: gcn2.conv1.weight"),
        (GloReUnit(16, share_projection=False), "2 not in the model: conv_reproj.weight"),
        (GloReUnit(16, num_nodes=5, num_states=8), r"conv_proj.weight \(5, 16, 1, 1\), needed"),
        (nn.Linear(3, 3), r"0 of 12 .*12 missing: conv_state.weight.* and 8 more"),
    ],
)
def test_what_does_not(other, message):
    with pytest.raises(CheckpointError, match=message) as error:
        check(GloReUnit(16), other.state_dict())
    assert str(error.value).startswith("weights.pth is of another network than the config")


def test_a_start_needs_something_in_common():
    unit = GloReUnit(16)
    check(unit, GloReUnit(16, num_nodes=5, num_states=8).state_dict(), strict=False)
    with pytest.raises(CheckpointError, match="no parameter in common with this GloReUnit"):
        check(unit, nn.Linear(3, 3).state_dict(), strict=False)


class Renaming(nn.Linear):
    """Knows its weight by an old name, too."""

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if f"{prefix}old" in state_dict:
            state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}old")
        super()._load_from_state_dict(state_dict, prefix, *args)


def test_what_a_network_renames_as_it_loads_fits():
    model = nn.Sequential(Renaming(2, 2), nn.BatchNorm1d(2))
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("tracked")}
    state["0.old"] = state.pop("0.weight")
    check(model, state)
    with pytest.raises(CheckpointError, match=r"missing: 0\.weight, 0\.bias"):
        check(model, {k: v for k, v in state.items() if k != "0.bias"})


def hooks_of(cfg):
    return [hook for hook in build_runner(cfg).hooks if isinstance(hook, SetupCheckHook)]


def test_every_runner_has_it_once(tmp_path):
    cfg = config(tmp_path / "without")
    assert len(hooks_of(cfg)) == 1
    cfg = config(tmp_path / "with", custom_hooks=[{"type": "SetupCheckHook"}])
    assert len(hooks_of(cfg)) == 1


@pytest.mark.parametrize("resume", [False, True])
def test_a_config_without_it_takes_no_wrong_checkpoint(tmp_path, resume):
    state = {f"layers.{k}": v for k, v in nn.Linear(4, 4).state_dict().items()}
    torch.save({"state_dict": state, "meta": {}}, tmp_path / "other.pth")
    cfg = config(tmp_path / "work_dir", load_from=str(tmp_path / "other.pth"), resume=resume)
    if not resume:
        cfg.test_cfg = {}
        cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
    runner = build_runner(cfg)
    with pytest.raises(CheckpointError, match=r"other\.pth is of another network than the config"):
        runner.train() if resume else runner.test()


def test_a_training_begins_with_the_labels_of_validation(small_cfg, tmp_path):
    name_run(small_cfg, tmp_path)
    for split in ("train", "val"):
        dataset = small_cfg[f"{split}_dataloader"].dataset
        dataset.update(type="CityscapesDataset", pipeline=STOCK)
    small_cfg.val_dataloader.dataset.seg_map_suffix = "_gtFine_labelIds.png"
    with pytest.raises(DataError, match=r"val/.*labelIds\.png gives the classes \[19, 20"):
        build_runner(small_cfg).train()


class Network(nn.Module):
    def __init__(self, name, num_classes):
        super().__init__()
        self.add_module(name, nn.Identity())
        getattr(self, name).num_classes = num_classes


def dataset(*classes):
    return BaseDataset(metainfo={"classes": classes}, lazy_init=True)


@pytest.mark.parametrize("head", ["decode_head", "head", "cls_head"])
def test_the_head_of_each_task_must_fit_the_data(head):
    check_classes(Network(head, 2), dataset("car", "bus"))
    with pytest.raises(ConfigError, match=rf"model.{head}.num_classes is 3, .*\('car', 'bus'\)"):
        check_classes(Network(head, 3), dataset("car", "bus"))


def test_training_and_validation_have_the_same_classes():
    check_same_classes(dataset("car", "bus"), dataset("car", "bus"))
    check_same_classes(dataset("car", "bus"), BaseDataset(lazy_init=True))
    with pytest.raises(ConfigError, match=r"\('car', 'bus'\), validation \('bus', 'car'\)"):
        check_same_classes(dataset("car", "bus"), dataset("bus", "car"))
