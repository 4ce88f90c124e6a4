"""The settings of a training in its report; the page is tested with its tool."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from torch import nn

from glore_seg.apis.report.facts import recipe
from glore_seg.layers import GloReUnit


@pytest.mark.parametrize(
    ("cfg", "units", "expected"),
    [
        (
            {
                "model": {
                    "backbone": {"type": "ResNetV1c", "depth": 50},
                    "neck": {"type": "GloReNeck"},
                    "decode_head": [{"type": "FCNHead"}, {"type": "GloReHead"}],
                },
                "optim_wrapper": {"type": "BFloat16OptimWrapper"},
                "param_scheduler": [{"type": "LinearLR"}, {"type": "PolyLR"}],
                "randomness": {"seed": 3},
            },
            [GloReUnit(16)],
            {
                "network": "ResNetV1c-50, GloReNeck, FCNHead + GloReHead",
                "GloRe units": "4 nodes x 8 states",
                "schedule": "LinearLR, PolyLR",
                "precision": "mixed, bf16",
                "seed": "3",
                "checkpoint": "iter_1.pth (1.5 MB)",
            },
        ),
        (
            {"model": {"decode_head": {"type": "FCNHead"}}, "train_cfg": None},
            [],
            {
                "network": "FCNHead",
                **dict.fromkeys(
                    ("GloRe units", "crop", "iterations", "optimizer", "dataset"), "none"
                ),
                "schedule": "constant",
                "precision": "fp32",
                "seed": "not set",
            },
        ),
    ],
    ids=["lists", "lacking"],
)
def test_settings_of_a_config(cfg, units, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = Path("iter_1.pth")
    checkpoint.write_bytes(b"x" * 1_500_000)
    predictor = SimpleNamespace(model=nn.Sequential(*units), classes=("road", "car"))
    assert expected.items() <= dict(recipe(Config(cfg), predictor, checkpoint)).items()
