r"""Estimate how a training scales over processes, from what they send each other in a step.

A ring of p processes passes n bytes at bandwidth b and latency d in

    all-reduce:  2 (p - 1) (n / (p b) + d)        all-gather:  (p - 1) (n / b + d)

Messages of norms and of the loop are waited for. Gradients travel during the backward pass, two
thirds of a step; only what exceeds it, and the last bucket, is waited for.

Shape legend: C channels.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from mmengine.config import Config
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import register_module_forward_hook

from glore_seg.apis import load_config
from glore_seg.apis.complexity import forward_call, input_sizes
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.engine import build_model
from glore_seg.engine.channels import input_channels
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.layers.factored_unit import chooses_factored
from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm

MIB = 1 << 20
_FLOAT = 4  # bytes; statistics are fp32 in mixed precision too
_BACKWARD = 2 / 3  # share of a step: two products for each one of the forward pass


@dataclass(frozen=True)
class Messages:
    """Bytes of each message of one step, as one process sends them."""

    gradients: tuple[int, ...]  # all-reduces of DDP, one for each bucket, in order
    reduced: tuple[int, ...]  # all-reduces of norm statistics and their gradients
    gathered: tuple[int, ...]  # all-gathers of norm statistics
    loop: tuple[int, ...] = (4, 8)  # all-reduces: whether the loss is finite everywhere; a signal


def count_messages(cfg: Config, input_shape: tuple[int, ...], *, bucket_mb: float = 25) -> Messages:
    """Count what each of several processes sends in a step with an input of shape (C, H, W).

    The network is built without weights and run once on the meta device. Frozen parameters and
    norms in evaluation mode send nothing. Checkpointed parts (``with_cp``) count once.
    ``bucket_mb`` is DDP's ``bucket_cap_mb``, in MiB.
    """
    model = build_model(cfg).train()
    wanted = [p for p in model.parameters() if p.requires_grad]
    sizes = [p.numel() * p.element_size() for p in reversed(wanted)]
    reduced: list[int] = []
    gathered: list[int] = []
    shape, forward = forward_call(cfg, model.to("meta"), input_shape)
    inputs = torch.empty(shape, device="meta")
    for norm, folded in _synchronized_norms(model, lambda: forward(inputs)):
        channels = norm.num_features
        if isinstance(norm, SynchronizedBatchNorm) or folded:
            # Count and sum, then squares; their gradients in reverse.
            reduced += [_FLOAT * n for n in (channels + 1, channels, channels, channels + 1)]
        else:  # torch's: mean, inverse deviation and count; two sums of gradients
            gathered.append(_FLOAT * (2 * channels + 1))
            reduced.append(_FLOAT * 2 * channels)
    return Messages(buckets(sizes, bucket_mb), tuple(reduced), tuple(gathered))


def buckets(sizes: list[int], bucket_mb: float) -> tuple[int, ...]:
    """Bytes of each of DDP's buckets, of gradients in order of arrival.

    The first bucket is full at 1 MiB, the others at the cap of ``bucket_mb`` MiB.
    """
    found: list[int] = []
    current = 0
    for size in sizes:
        current += size
        if current >= (bucket_mb if found else min(1, bucket_mb)) * MIB:
            found.append(current)
            current = 0
    return tuple([*found, current] if current else found)


def estimate(
    messages: Messages, *, processes: int, step: float, bandwidth: float, latency: float
) -> dict[str, float]:
    """Estimate the seconds of a step of several processes over the slowest link of the ring.

    ``step`` are measured seconds of one process with the same batch, ``bandwidth`` is in bytes per
    second, one way, and ``latency`` in seconds. A ConfigError is raised if one is out of its range.

    Returns:
        ``alone``, the given step; ``gradients``, all their messages, and ``waited_gradients``, what
        is waited for of them; ``statistics``; ``loop``; and ``step``, with all that is waited for.
    """
    if processes < 1 or step <= 0 or bandwidth <= 0 or latency < 0:
        raise ConfigError(
            f"{processes} processes, steps of {step:g} s, {bandwidth:g} bytes/s, latency "
            f"{latency:g} s; expected 1 process or more, step and bandwidth above 0, latency 0 or "
            "more: measure them, see docs/distributed.md"
        )

    def reduce(sizes: Sequence[int]) -> list[float]:
        return [2 * (processes - 1) * (n / (processes * bandwidth) + latency) for n in sizes]

    gradients = reduce(messages.gradients)
    gathered = sum((processes - 1) * (n / bandwidth + latency) for n in messages.gathered)
    found = {
        "alone": step,
        "gradients": sum(gradients),
        "waited_gradients": sum(gradients) - min(sum(gradients[:-1]), _BACKWARD * step),
        "statistics": sum(reduce(messages.reduced)) + gathered,
        "loop": sum(reduce(messages.loop)),
    }
    waited = found["waited_gradients"] + found["statistics"] + found["loop"]
    return {**found, "step": step + waited}


def _synchronized_norms(model: nn.Module, run: Callable[[], Any]) -> list[tuple[_BatchNorm, bool]]:
    """Each synchronized norm that a step calls, and whether a unit folds it."""
    found: list[tuple[_BatchNorm, bool]] = []
    last = {module.blocker for module in model.modules() if isinstance(module, GloReUnit)}

    def note(module: nn.Module, *_: object) -> None:
        unit = module if isinstance(module, GloReUnit) else None
        norm = unit.blocker if unit else module
        is_synchronized = isinstance(norm, nn.SyncBatchNorm | SynchronizedBatchNorm)
        if is_synchronized and norm.training and (unit or norm not in last):
            found.append((norm, unit is not None and chooses_factored(unit, None)))

    # Global: a unit whose norm has a hook of its own would take the paper's order.
    handle = register_module_forward_hook(note)
    try:
        run()
    finally:
        handle.remove()
    auxiliary = getattr(model, "auxiliary_head", None)  # runs in training only
    for module in auxiliary.modules() if isinstance(auxiliary, nn.Module) else ():
        note(module)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Count, estimate and print."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.reproduction.scaling",
        description="Count what the processes of a training send each other, and estimate their "
        "step from that of one process (docs/distributed.md).",
        epilog="example: %(prog)s "
        "configs/fcn_r50_glore_cityscapes.py --gpus 8 --step-ms 300 --bandwidth 10 --latency 20",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("--gpus", type=int, default=8, help="number of processes (default: 8)")
    parser.add_argument("--step-ms", type=float, required=True, help="measured, of one process")
    text = "of the slowest link, in GB/s (default: 10)"
    parser.add_argument("--bandwidth", type=float, default=10.0, help=text)
    text = "of a message, in microseconds (default: 20)"
    parser.add_argument("--latency", type=float, default=20.0, help=text)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    messages = count_messages(cfg, (input_channels(cfg), *input_sizes(cfg)))
    found = estimate(
        messages,
        processes=args.gpus,
        step=args.step_ms / 1e3,
        bandwidth=args.bandwidth * 1e9,
        latency=args.latency * 1e-6,
    )
    efficiency = found["alone"] / found["step"]
    if args.json:
        result = {"bytes": asdict(messages), "seconds": found, "efficiency": efficiency}
        print(json.dumps(result))
        return
    print(f"{args.config}: what each of {args.gpus} processes sends in a step")
    print(f"{'':<24}{'messages':>9}{'MiB':>9}{'ms':>9}  waited for, ms")
    for name, sizes, key, waited in (
        ("gradients", messages.gradients, "gradients", "waited_gradients"),
        ("statistics of norms", messages.reduced + messages.gathered, "statistics", "statistics"),
        ("training loop", messages.loop, "loop", "loop"),
    ):
        line = f"{name:<24}{len(sizes):>9}{sum(sizes) / MIB:>9.2f}{found[key] * 1e3:>9.2f}"
        print(f"{line}{found[waited] * 1e3:>16.2f}")
    print(f"step: {found['alone'] * 1e3:.1f} ms alone, {found['step'] * 1e3:.1f} ms together")
    print(f"efficiency: {efficiency:.1%}, {args.gpus * efficiency:.2f} times one alone")


if __name__ == "__main__":
    run_tool(main)
