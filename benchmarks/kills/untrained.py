"""Weights to predict with."""

from pathlib import Path

import torch

from benchmarks.kills.work import CONFIG
from glore_seg.apis import load_config
from glore_seg.engine import build_model


def write_untrained(path: Path) -> None:
    """Write a network whose classifier doesn't give one class everywhere."""
    torch.manual_seed(0)
    model = build_model(load_config(str(CONFIG)))
    torch.nn.init.normal_(model.decode_head.conv_seg.weight)
    torch.save({"state_dict": model.state_dict()}, path)
