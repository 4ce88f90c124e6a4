"""Two processes on the CPU through mmengine's own launcher."""

import json

import pytest
import torch

from glore_seg import compat

compat.apply()

SCRIPT = """
import json, os, sys
from glore_seg import compat
compat.apply()
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset


class Line(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"x": torch.tensor([float(index)]), "y": torch.tensor([2.0 * index])}


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(self.linear.weight, 0.5)
        torch.nn.init.constant_(self.linear.bias, 0.25)

    def forward(self, x, y, mode="tensor"):
        return {"loss": (self.linear(x) - y).square().mean()}


data = Line()
runner = Runner(
    model=Model(),
    work_dir=sys.argv[1],
    train_dataloader=dict(
        batch_size=2,
        num_workers=0,
        dataset=data,
        sampler=dict(type="DefaultSampler"),
        collate_fn=dict(type="default_collate"),
    ),
    train_cfg=dict(by_epoch=True, max_epochs=1),
    optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1)),
    launcher="pytorch",
    env_cfg=dict(dist_cfg=dict(backend="gloo")),
    log_level="ERROR",
    cfg=dict(
        model_wrapper_cfg=dict(
            type="MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
        )
    ),
)
runner.train()
linear = runner.model.module.linear
with open(f"{sys.argv[1]}/{runner.rank}.json", "w") as file:
    json.dump([runner.world_size, linear.weight.item(), linear.bias.item()], file)
torch.distributed.barrier()
os._exit(0)  # gloo's threads can abort a process that ends in the ordinary way
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
@pytest.mark.slow
def test_two_processes_average_their_gradients(python, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = python(*launch, script, tmp_path, cwd=tmp_path, GLOO_SOCKET_IFNAME="lo")
    assert done.returncode == 0, done.stderr
    # One step over x = 0, 1, 2, 3 with error e = 0.5 x + 0.25 - 2 x, whoever had which.
    errors = [0.25 - 1.5 * x for x in range(4)]
    slope = sum(2 * e * x for x, e in enumerate(errors)) / 4
    offset = sum(2 * e for e in errors) / 4
    for rank in (0, 1):
        world, weight, bias = json.loads((tmp_path / f"{rank}.json").read_text())
        assert world == 2
        assert weight == pytest.approx(0.5 - 0.1 * slope, abs=1e-6)
        assert bias == pytest.approx(0.25 - 0.1 * offset, abs=1e-6)
