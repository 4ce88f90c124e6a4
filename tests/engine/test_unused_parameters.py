"""Parameters that no loss depends on, under DDP, in one process with a group of its own."""

import pytest
import torch.distributed as dist
from mmengine.registry import MODELS
from torch import nn

from glore_seg.engine import build_runner
from glore_seg.errors import ConfigError
from tests.engine.toy import ToyModel, config
from tests.forked import free_port


@MODELS.register_module()
class ToyModelWithSpare(ToyModel):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(2, 3)


@pytest.fixture
def group(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "0")
    address = f"tcp://127.0.0.1:{free_port()}"
    dist.init_process_group("gloo", init_method=address, rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def run(work_dir, /, **changes):
    wrapper = {"type": "MMDistributedDataParallel", "device_ids": None}
    changes = {"train_cfg__max_iters": 3, "model__type": "ToyModelWithSpare", **changes}
    cfg = config(work_dir, **changes)
    cfg.launcher = "pytorch"
    cfg.model_wrapper_cfg = {**wrapper, **cfg.get("model_wrapper_cfg", {})}
    runner = build_runner(cfg)
    runner.train()
    return runner.iter


def test_they_are_named(group, tmp_path):
    with pytest.raises(ConfigError, match=r"2 parameters, such as spare\.weight, spare\.bias"):
        run(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"model__type": "ToyModel"},
        {"model_wrapper_cfg": {"find_unused_parameters": True}},
        {"optim_wrapper__accumulative_counts": 3, "model__type": "ToyModel"},
    ],
)
def test_valid_runs_pass(group, tmp_path, changes):
    assert run(tmp_path, **changes) == 3
