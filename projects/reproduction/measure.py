"""Measure costs: time side by side, memory kept for the backward pass, a training step."""

import copy
import os
import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from glore_seg.compat.upstream import version_of

PACKAGES = ("torch", "numpy", "mmengine", "mmcv-lite", "mmcv", "mmsegmentation")


@dataclass(frozen=True)
class Timing:
    """Seconds of one function in every round: wall-clock time, and CPU time of this process."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def milliseconds(self) -> float:
        """Median wall-clock time."""
        return 1e3 * median(self.wall)

    @property
    def cpu_milliseconds(self) -> float:
        """Median CPU time."""
        return 1e3 * median(self.cpu)

    def times_faster_than(self, other: "Timing", *, clock: str = "wall") -> float:
        """Median over the rounds of the other's time divided by this one's."""
        own, others = getattr(self, clock), getattr(other, clock)
        return median(b / a for a, b in zip(own, others, strict=True))


def side_by_side(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 15,
    warmup: int = 2,
    max_seconds: float | None = None,
) -> dict[str, Timing]:
    """Time several functions in turns, so that other load on the machine affects all of them.

    Every other round runs them in reverse order. Stops after the round that passes
    ``max_seconds``, but not before the third.
    """
    for _ in range(warmup):
        for way in ways.values():
            way()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    begin = time.perf_counter()
    for count in range(rounds):
        for name in ways if count % 2 == 0 else reversed(list(ways)):
            seconds[name].append(_time(ways[name]))
        if max_seconds and count >= 2 and time.perf_counter() - begin > max_seconds:
            break
    return {name: Timing(*zip(*each, strict=True)) for name, each in seconds.items()}


def _time(way: Callable[[], object]) -> tuple[float, float]:
    _wait()
    wall, cpu = time.perf_counter(), time.process_time()
    result = way()
    _wait()
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    del result  # freeing memory is not timed
    return seconds


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def saved_bytes(forward: Callable[[], object], *, beyond: Sequence[Tensor] = ()) -> int:
    """Bytes that autograd keeps for the backward pass; every storage counts once.

    Tensors ``beyond``, such as the input and the parameters, exist anyway and do not count.
    """
    known = {tensor.untyped_storage().data_ptr() for tensor in beyond}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    total = sum(t.untyped_storage().nbytes() for key, t in kept.items() if key not in known)
    del result
    return total


def make_batch(
    count: int, height: int, width: int, *, num_classes: int, device: torch.device | str
) -> dict[str, list]:
    """Make a batch of random images and labels as from a data loader, but on the device."""
    size = (height, width)
    labels = torch.randint(0, num_classes, (count, 1, *size), device=device)
    images = torch.randint(0, 256, (count, 3, *size), dtype=torch.uint8, device=device)
    meta = {"ori_shape": size, "img_shape": size}
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label), metainfo=meta) for label in labels]
    return {"inputs": [*images], "data_samples": samples}


def make_step(
    model: BaseModel, batch: dict[str, list], optim_wrapper: dict[str, Any]
) -> Callable[[], object]:
    """Return a function that runs one step: preprocessing, loss, gradients, optimizer.

    The segmentor is set to training mode; ``batch`` is from :func:`make_batch` and
    ``optim_wrapper`` the config's.
    """
    optim = build_optim_wrapper(model.train(), ConfigDict(copy.deepcopy(optim_wrapper)))
    return lambda: model.train_step(copy.copy(batch), optim)


def machine(device: str = "cpu") -> dict[str, Any]:
    """Return versions of packages and names of processor and GPU."""
    found: dict[str, Any] = {"python": platform.python_version()}
    found |= {package: version for package in PACKAGES if (version := version_of(package))}
    found["torch"] = torch.__version__  # with its build, which the metadata may lack
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text() if cpuinfo.exists() else "")
    found["processor"] = names[0] if names else platform.processor() or platform.machine()
    found["cores"] = os.cpu_count()
    found["threads"] = torch.get_num_threads()
    if torch.device(device).type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
        found["cuda"] = torch.version.cuda
    return found
