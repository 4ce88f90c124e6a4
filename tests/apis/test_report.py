"""The settings and the files of a training for its report; the page is tested with its tool."""

import os
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from torch import nn

from glore_seg.apis.config import find_checkpoint, find_config
from glore_seg.apis.report.facts import recipe
from glore_seg.errors import ConfigError
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
    missing = ("GloRe units", "crop", "iterations", "optimizer", "dataset")
    assert {found[name] for name in missing} == {"none"}
    defaults = [found[name] for name in ("schedule", "precision", "seed")]
    assert defaults == ["constant", "fp32", "not set"]


def make(folder, *names):
    for age, name in enumerate(names):
        (folder / name).touch()
        os.utime(folder / name, (1000 + age, 1000 + age))


def test_the_one_config(tmp_path):
    with pytest.raises(ConfigError, match=r"none.*--config"):
        find_config(tmp_path)
    make(tmp_path, "a.py")
    assert find_config(tmp_path).name == "a.py"
    make(tmp_path, "b.py")
    with pytest.raises(ConfigError, match=r"a\.py, b\.py"):
        find_config(tmp_path)


def test_the_best_checkpoint_before_the_last(tmp_path):
    with pytest.raises(ConfigError, match="--checkpoint"):
        find_checkpoint(tmp_path)
    for names, found in (
        (("iter_900.pth", "iter_1000.pth"), "iter_1000.pth"),
        (("best_aAcc_iter_900.pth",), "best_aAcc_iter_900.pth"),
        (("best_mIoU_iter_900.pth", "best_mIoU_iter_1000.pth"), "best_mIoU_iter_1000.pth"),
    ):
        make(tmp_path, *names)
        assert find_checkpoint(tmp_path).name == found
