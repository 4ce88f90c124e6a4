"""Checkpoints that are compared to the last bit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from glore_seg.compat.checkpoints import load_weights

PARTS = ("state_dict", "ema_state_dict", "optimizer", "param_schedulers")


def differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """Names of what is not the same, to the last bit."""
    if type(one) is not type(other):
        yield name
    elif isinstance(one, dict):
        if one.keys() != other.keys():
            yield f"{name}: {sorted(map(str, one.keys() ^ other.keys()))}"
        for key in one.keys() & other.keys():
            yield from differences(one[key], other[key], f"{name}.{key}")
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            yield name
        for index, pair in enumerate(zip(one, other, strict=False)):
            yield from differences(*pair, f"{name}.{index}")
    elif isinstance(one, torch.Tensor):
        if not torch.equal(one, other):
            yield name
    elif one != other and one == one:
        yield name


def compare_files(wanted: Path, found: Path) -> Iterator[str]:
    """What differs between two checkpoints: weights, average, optimizer, schedule, logs."""
    pair = [load_weights(path, "cpu") for path in (wanted, found)]
    for part in PARTS:
        yield from differences(pair[0].get(part), pair[1].get(part), f"{found.name}: {part}")
    yield from differences(*map(_logs, pair), f"{found.name}: logs")


def compare(wanted: Path, found: Path) -> list[str]:
    """Names of what differs between the checkpoints of two work folders."""
    names = [{path.name for path in folder.glob("[!.]*.pth")} for folder in (wanted, found)]
    if names[0] != names[1]:
        return [f"files: {sorted(names[0])} and {sorted(names[1])}"]
    return [
        wrong for name in sorted(names[0]) for wrong in compare_files(wanted / name, found / name)
    ]


def _logs(checkpoint: dict[str, Any]) -> dict[str, list]:
    return {
        key: buffer.data[0].tolist()
        for key, buffer in checkpoint["message_hub"]["log_scalars"].items()
        if "time" not in key and "memory" not in key
    }
