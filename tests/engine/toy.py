"""A training of a second whose every step depends on random numbers: data, dropout, batch norm."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, HOOKS, METRICS, MODELS
from mmengine.structures import BaseDataElement
from torch import nn

import glore_seg  # noqa: F401
from glore_seg.engine import AtomicCheckpointHook, build_runner
from glore_seg.errors import CorruptedFileError

LENGTH = 8


@DATASETS.register_module()
class ToyData:
    """Noise of three generators; ``nan`` and ``corrupted`` name the samples that go wrong."""

    metainfo = {"classes": ("a", "b")}

    def __init__(self, nan=(), corrupted=()):
        self.nan, self.corrupted = nan, corrupted
        self.pipeline = Compose([])

    def __len__(self):
        return LENGTH

    def __getitem__(self, index):
        if index in self.corrupted:
            raise CorruptedFileError(f"toys/{index}.png cannot be read as an image")
        noise = random.random() + np.random.rand(4) + torch.rand(4).numpy()
        image = torch.from_numpy(noise).float() + index
        if index in self.nan:
            image *= float("nan")
        sample = BaseDataElement(metainfo={"img_path": f"toys/{index}.png"})
        return {"inputs": image, "data_samples": sample}


@MODELS.register_module()
class ToyModel(BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1)
        )

    def forward(self, inputs, data_samples=None, mode="tensor"):
        out = self.layers(torch.stack(list(inputs)))
        return {"loss": out.square().mean()} if mode == "loss" else list(out)


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Takes random numbers itself, as a validation might."""

    def process(self, data_batch, data_samples):
        self.results += [float(out) + torch.rand(()).item() for out in data_samples]

    def compute_metrics(self, results):
        return {"score": float(np.mean(results))}


@HOOKS.register_module()
class SignalAt(Hook):
    """One process gets a signal after an iteration, the first time that it comes there."""

    def __init__(self, rank, iteration, signum, mark):
        self.rank, self.iteration, self.signum, self.mark = rank, iteration, signum, Path(mark)

    def after_train_iter(self, runner, *args, **options):
        here = (runner.rank, runner.iter + 1) == (self.rank, self.iteration)
        if here and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), self.signum)


def config(work_dir: Path, /, *, by_epoch=False, **changes) -> Config:
    """Twelve iterations, or four epochs of three, each with a checkpoint every other one."""
    loader = {
        "batch_size": 3,
        "num_workers": 0,
        "dataset": {"type": "ToyData"},
        "sampler": {"type": "DefaultSampler" if by_epoch else "InfiniteSampler", "shuffle": True},
    }
    length = {"max_epochs": 4} if by_epoch else {"max_iters": 12}
    name = str(work_dir).strip("/").replace("/", "_")
    cfg = Config(
        {
            "default_scope": "mmengine",
            "model": {"type": "ToyModel"},
            "train_dataloader": loader,
            "val_dataloader": {
                **loader,
                "sampler": {"type": "DefaultSampler", "shuffle": False},
            },
            "val_evaluator": {"type": "ToyMetric"},
            "val_cfg": {},
            "train_cfg": {"by_epoch": by_epoch, "val_interval": 2 if by_epoch else 4, **length},
            "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 0.01}},
            "param_scheduler": {"type": "PolyLR", "begin": 0, "end": 12, "by_epoch": False},
            "default_hooks": {
                "checkpoint": {
                    "type": "CheckpointHook",
                    "by_epoch": by_epoch,
                    "interval": 2,
                    "max_keep_ckpts": 2,
                    "save_best": "score",
                    "rule": "less",
                }
            },
            "custom_hooks": [{"type": "EMAHook", "momentum": 0.1}],
            "log_processor": {"by_epoch": by_epoch},
            "randomness": {"seed": 3},
            "log_level": "ERROR",
            "work_dir": str(work_dir),
            "experiment_name": name,
            "visualizer": {"type": "Visualizer", "name": name},
        }
    )
    cfg.merge_from_dict({key.replace("__", "."): value for key, value in changes.items()})
    return cfg


@HOOKS.register_module()
class UnreadableCheckpoints(AtomicCheckpointHook):
    """A disk that fails in the search for a checkpoint."""

    def _find(self, runner):
        raise OSError(5, "Input/output error", "iter_2.pth")


class At(Hook):
    """Does something after an iteration, at a checkpoint or in a validation."""

    priority = "LOWEST"

    def __init__(self, iteration, action, stage="after_train_iter"):
        def act(runner, *args, **options):
            if runner.iter + (stage == "after_train_iter") == iteration:
                action()

        setattr(self, stage, act)


def train(cfg: Config, *hooks: Hook):
    """Train; give the runner."""
    runner = build_runner(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, workers = sys.argv[1:]
    train(config(Path(folder), train_dataloader__num_workers=int(workers), resume=True))
