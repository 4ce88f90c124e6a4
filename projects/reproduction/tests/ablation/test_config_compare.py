"""Runs that cannot be compared are refused with both values."""

import re

import pytest
from mmengine.config import Config

from projects.reproduction.ablation.config_compare import check_comparable, check_same_settings
from projects.reproduction.tests.ablation.runs import make_config


@pytest.fixture
def load(tmp_path):
    def load(**changes):
        return Config.fromfile(make_config(tmp_path / "config.py", **changes))

    return load


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("train_cfg.max_iters", 8, "train_cfg.max_iters = 4, b has 8"),
        ("train_dataloader.batch_size", 4, "train_dataloader.batch_size = 2, b has 4"),
        (
            "train_dataloader.dataset.data_root",
            "more",
            "train_dataloader.dataset.data_root = 'data', b has 'more'",
        ),
        (
            "train_dataloader.dataset.pipeline.0.crop_size",
            (8, 8),
            "train_dataloader.dataset.pipeline.0.crop_size = [4, 8], b has [8, 8]",
        ),
        ("val_dataloader.dataset.data_root", "x", "data_root = 'data', b has 'x'"),
        ("val_evaluator.instances", False, "val_evaluator.instances = 'not set', b has False"),
        ("optim_wrapper.accumulative_counts", 2, "accumulative_counts = 1, b has 2"),
    ],
)
def test_other_conditions_are_refused(load, key, value, text):
    other = load(**{key.replace(".", "__"): value})
    with pytest.raises(ValueError, match=rf"^a has .*{re.escape(text)}; expected one value"):
        check_comparable({"a": load(), "c": load(), "b": other})


def test_network_and_learning_rate_may_differ(load):
    other = load(model__type="Other", optim_wrapper__optimizer__lr=0.2)
    check_comparable({"a": load(), "b": other})


def test_a_run_of_other_settings_is_refused(load):
    with pytest.raises(ValueError, match=r"out/seed0 was trained with .*lr = 0\.2, .* has 0\.1;"):
        check_same_settings(load(optim_wrapper__optimizer__lr=0.2), load(), where="out/seed0")


def test_seed_folder_and_resumption_are_no_settings(load):
    found = load(
        work_dir="a", randomness={"seed": 3}, resume=True, load_from="x.pth", begin_from=None
    )
    check_same_settings(found, load(launcher="none"), where="out/seed0")
