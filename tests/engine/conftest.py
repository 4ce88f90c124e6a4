"""A small network with random weights, as a config and a checkpoint."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.engine import build_model
from tests.fixtures import REPOSITORY, STREET_SCENES


def run_python(*arguments: object) -> subprocess.CompletedProcess:
    """Python in a process of its own, with one thread."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture
def small_cfg(street_scenes) -> Config:
    """The street scenes' network made small, on the small dataset, without workers."""
    loader = {"num_workers": 0, "persistent_workers": False}
    options = {
        f"{split}_dataloader": {**loader, "dataset": {"data_root": str(street_scenes)}}
        for split in ("train", "val", "test")
    }
    return load_config(str(STREET_SCENES), cfg_options={**SMALL_NETWORK, **options})


@pytest.fixture
def save(tmp_path) -> Callable[[Config], Path]:
    """Saves a network of a config with random weights as a Runner would."""

    def save(cfg: Config) -> Path:
        torch.manual_seed(0)
        model = build_model(cfg)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        torch.save({"state_dict": model.state_dict(), "meta": {"iter": 3}}, tmp_path / "iter_3.pth")
        return tmp_path / "iter_3.pth"

    return save
