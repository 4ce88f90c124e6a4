"""What each row costs: counted parameters and MACs, and a training step timed in turns."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from glore_seg.apis.complexity import Complexity, count_config, input_sizes
from glore_seg.apis.config import replace_sync_bn
from glore_seg.engine.runner import build_model
from glore_seg.errors import ConfigError
from glore_seg.utils.devices import usable_device
from glore_seg.utils.files import write_lines
from projects.reproduction.ablation.plan import Row
from projects.reproduction.measure import machine, make_batch, make_step, saved_bytes, side_by_side

_FILE = "costs.json"


@dataclass(frozen=True)
class Cost:
    """What a training step (preprocessing, loss, gradients, optimizer) of a row costs."""

    step_ms: float  # median on the clock
    step_cpu_ms: float  # the same in CPU time, which other work on the machine changes less
    times_first: float  # median ratio to the first row's time; in CPU time on a CPU
    memory_mb: float  # peak on the GPU; on a CPU what is kept for the backward pass
    params: int  # trainable ones
    macs: int  # of an image of the crop's size


def measure_costs(
    rows: Sequence[Row],
    *,
    rounds: int = 7,
    max_seconds: float = 300.0,
    device: torch.device | str = "cpu",
) -> dict[str, Cost]:
    """Measure a training step of every row, in turns, on random images of the crop's size.

    Stops after the round that passes ``max_seconds``, but not before the third. A device that
    cannot be used here, or is neither a CPU nor a CUDA device, raises a ConfigError.
    """
    device = usable_device(device)
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device is {str(device)!r}; expected cpu or cuda, to measure memory on")
    steps: dict[str, Callable[[], object]] = {}
    memory: dict[str, float] = {}
    for row in rows:
        before = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
        model, steps[row.name] = _prepare(row.cfg, device)
        memory[row.name] = (_memory(model, steps[row.name], device) - before) / 1e6
    timings = side_by_side(steps, rounds=rounds, warmup=1, max_seconds=max_seconds)
    first = timings[rows[0].name]
    clock = "wall" if device.type == "cuda" else "cpu"
    return {
        name: Cost(
            step_ms=timings[name].milliseconds,
            step_cpu_ms=timings[name].cpu_milliseconds,
            times_first=first.times_faster_than(timings[name], clock=clock),
            memory_mb=memory[name],
            params=counts.params,
            macs=counts.macs,
        )
        for name, counts in count_rows(rows).items()
    }


def _prepare(cfg: Config, device: torch.device) -> tuple[nn.Module, Callable[[], object]]:
    cfg = copy.deepcopy(cfg)
    replace_sync_bn(cfg.model)  # one process has no others to share statistics with
    model: Any = build_model(cfg).to(device)  # PyTorch's stubs lack to(memory_format=...)
    if any(hook.get("type") == "ChannelsLastHook" for hook in cfg.get("custom_hooks") or []):
        model.to(memory_format=torch.channels_last)
    count, classes = cfg.train_dataloader.batch_size, cfg.model.decode_head.num_classes
    batch = make_batch(count, *image_size(cfg), num_classes=classes, device=device)
    return model, make_step(model, batch, cfg.optim_wrapper)


def _memory(model: nn.Module, step: Callable[[], object], device: torch.device) -> int:
    """Bytes; the first step makes the optimizer's state, which the peak of the second includes."""
    step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        step()
        return torch.cuda.max_memory_allocated(device)
    return saved_bytes(step, beyond=[*model.parameters()])


def write_costs(out_dir: Path, costs: Mapping[str, Cost], *, device: str = "cpu") -> Path:
    """Keep the costs, all of one sitting, for the tables to come; replaces those of another."""
    file = out_dir / _FILE
    content = {"machine": machine(device), "rows": {row: asdict(c) for row, c in costs.items()}}
    write_lines(file, [json.dumps(content, indent=1)])
    return file


def read_costs(out_dir: Path) -> dict[str, Cost] | None:
    """The costs that were kept; None where none were."""
    file = out_dir / _FILE
    if not file.exists():
        return None
    return {row: Cost(**cost) for row, cost in json.loads(file.read_text())["rows"].items()}


def count_rows(rows: Sequence[Row]) -> dict[str, Complexity]:
    """Count parameters, and MACs of one image of :func:`image_size`, by the row's name."""
    return {row.name: count_config(row.cfg, (3, *image_size(row.cfg))) for row in rows}


def image_size(cfg: Config) -> tuple[int, ...]:
    """Height and width of the crop that is trained on; those of the paper where none is set."""
    size = (cfg.model.get("data_preprocessor") or {}).get("size")
    return tuple(size) if size else input_sizes(cfg)
