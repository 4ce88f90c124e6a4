"""The settings of a training in its report; the page is tested with its tool."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from torch import nn

from glore_seg.apis.report.facts import recipe
from glore_seg.layers import GloReUnit


@pytest.fixture
def facts(tmp_path):
    checkpoint = tmp_path / "iter_1.pth"
    checkpoint.write_bytes(b"x" * 1_500_000)

    def facts(cfg, *units):
        predictor = SimpleNamespace(model=nn.Sequential(*units), classes=("road", "car"))
        return dict(recipe(Config(cfg), predictor, checkpoint))

    return facts


def test_settings_of_a_config(facts, tmp_path):
    cfg = {
        "model": {
            "backbone": {"type": "ResNetV1c", "depth": 50},
            "neck": {"type": "GloReNeck"},
            "decode_head": [{"type": "FCNHead"}, {"type": "GloReHead"}],
        },
        "crop_size": (64, 128),
        "train_dataloader": {"batch_size": 4, "dataset": {"data_root": "a"}},
        "optim_wrapper": {
            "type": "BFloat16OptimWrapper",
            "optimizer": {"type": "SGD", "lr": 0.006, "momentum": 0.9},
        },
        "param_scheduler": [{"type": "LinearLR"}, {"type": "PolyLR"}],
        "train_cfg": {"max_iters": 80},
        "randomness": {"seed": 3},
    }
    found = facts(cfg, GloReUnit(16))
    assert found.pop("versions").startswith("glore_seg ")
    assert found == {
        "network": "ResNetV1c-50, GloReNeck, FCNHead + GloReHead",
        "GloRe units": "4 nodes x 8 states",
        "classes": "2",
        "dataset": "a",
        "crop": "64 x 128",
        "batch": "4 per process",
        "optimizer": "type SGD, lr 0.006, momentum 0.9",
        "schedule": "LinearLR, PolyLR",
        "iterations": "80",
        "precision": "mixed, bf16",
        "seed": "3",
        "initialized from": "scratch",
        "checkpoint": f"{tmp_path / 'iter_1.pth'} (1.5 MB)",
    }


def test_settings_that_a_config_lacks(facts):
    found = facts({"model": {"decode_head": {"type": "FCNHead"}}, "train_cfg": None})
    assert found["network"] == "FCNHead"
    for name in ("GloRe units", "crop", "iterations", "optimizer", "dataset"):
        assert found[name] == "none"
    assert (found["schedule"], found["precision"], found["seed"]) == (
        "constant",
        "fp32",
        "not set",
    )
