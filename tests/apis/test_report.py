"""What a report says of a config; the whole page is tested with its tool."""

from types import SimpleNamespace

from mmengine.config import Config
from torch import nn

from glore_seg.apis.report.figures import recipe
from glore_seg.layers import GloReUnit


def facts(cfg, tmp_path, *units):
    checkpoint = tmp_path / "iter_1.pth"
    checkpoint.write_bytes(b"x" * 1_500_000)
    predictor = SimpleNamespace(model=nn.Sequential(*units), classes=("road", "car"))
    return dict(recipe(Config(cfg), predictor, checkpoint))


def test_a_recipe_of_the_usual_form(tmp_path):
    dataset = {"datasets": [{"data_root": "b"}, {"dataset": {"data_root": "a"}}]}
    found = facts(
        {
            "model": {
                "backbone": {"type": "ResNetV1c", "depth": 50},
                "neck": {"type": "GloReNeck"},
                "decode_head": [{"type": "FCNHead"}, {"type": "GloReHead"}],
            },
            "crop_size": (64, 128),
            "train_dataloader": {"batch_size": 4, "dataset": dataset},
            "optim_wrapper": {
                "type": "BFloat16OptimWrapper",
                "optimizer": {"type": "SGD", "lr": 0.006, "momentum": 0.9, "weight_decay": 1e-4},
            },
            "param_scheduler": [{"type": "LinearLR"}, {"type": "PolyLR"}],
            "train_cfg": {"max_iters": 80},
            "randomness": {"seed": 3},
        },
        tmp_path,
        GloReUnit(16),
    )
    assert found.pop("page made with").startswith("glore_seg ")
    assert found == {
        "network": "ResNetV1c-50, GloReNeck, FCNHead + GloReHead",
        "GloRe units": "4 nodes x 8 states",
        "classes": "2",
        "dataset": "a, b",
        "crop": "64 x 128",
        "batch": "4 on each process",
        "optimizer": "SGD, from 0.006, momentum 0.9, decay 0.0001",
        "schedule": "LinearLR, PolyLR",
        "iterations": "80",
        "precision": "mixed, bf16",
        "seed": "3",
        "started from": "scratch",
        "checkpoint": f"{tmp_path / 'iter_1.pth'} (1.5 MB)",
    }


def test_what_a_config_does_not_say(tmp_path):
    bare = {"model": {"decode_head": {"type": "FCNHead"}}, "train_cfg": None, "crop_size": 64}
    found = facts(bare, tmp_path)
    assert found["network"] == "FCNHead"
    assert found["GloRe units"] == "none"
    assert (found["crop"], found["iterations"], found["seed"]) == ("64", "not said", "not set")
    assert (found["optimizer"], found["schedule"]) == ("not said", "constant")
    assert (found["dataset"], found["batch"]) == ("not said", "? on each process")
