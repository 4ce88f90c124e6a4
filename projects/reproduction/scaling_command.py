"""Estimate how a training scales over processes: `python -m projects.reproduction.scaling_command CONFIG`."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.apis import load_config
from glore_seg.apis.input_sizes import input_sizes
from glore_seg.cli import add_cfg_options, run_tool
from projects.reproduction.comm_volume import MIB, count_messages
from projects.reproduction.scaling import Link, estimate


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Count what the processes of a training send each other, and estimate their "
        "step from that of one process (docs/distributed.md).",
        epilog="example: python -m projects.reproduction.scaling_command configs/fcn_r50_glore_cityscapes.py "
        "--gpus 8 --step-ms 300 --bandwidth 10 --latency 20",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("--gpus", type=int, default=8, help="number of processes (default: 8)")
    parser.add_argument(
        "--step-ms", type=float, required=True, help="measured time of one process's step, in ms"
    )
    parser.add_argument(
        "--bandwidth", type=float, default=10.0, help="of the slowest link, in GB/s (default: 10)"
    )
    parser.add_argument(
        "--latency", type=float, default=20.0, help="of a message, in microseconds (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Count, estimate and print."""
    args = parse_args(argv)
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    link = Link(bandwidth=args.bandwidth * 1e9, delay=args.latency * 1e-6)
    messages = count_messages(cfg, (3, *input_sizes(cfg)))
    found = estimate(messages, processes=args.gpus, step=args.step_ms / 1e3, link=link)
    if args.json:
        seconds = {**asdict(found), "step": found.step}
        result = {"bytes": asdict(messages), "seconds": seconds, "efficiency": found.efficiency}
        print(json.dumps(result))
        return
    print(f"{args.config}: what each of {args.gpus} processes sends in a step")
    print(f"{'':<24}{'messages':>9}{'MiB':>9}{'ms':>9}  waited for, ms")
    statistics = (*messages.reduced, *messages.gathered)
    for name, sizes, seconds, waited in (
        ("gradients", messages.gradients, found.gradients, found.waited_gradients),
        ("statistics of norms", statistics, found.statistics, found.statistics),
        ("votes of the loop", messages.votes, found.votes, found.votes),
    ):
        print(
            f"{name:<24}{len(sizes):>9}{sum(sizes) / MIB:>9.2f}{seconds * 1e3:>9.2f}"
            f"{waited * 1e3:>16.2f}"
        )
    print(f"step: {found.alone * 1e3:.1f} ms alone, {found.step * 1e3:.1f} ms together")
    print(f"efficiency: {found.efficiency:.1%}, {args.gpus * found.efficiency:.2f} times one alone")


if __name__ == "__main__":
    run_tool(main)
