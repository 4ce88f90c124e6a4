"""Count parameters and MACs: `python tools/get_flops.py CONFIG --shape 1024 2048`."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

import glore_seg  # noqa: F401  patches OpenMMLab, therefore first
from glore_seg.apis import load_config
from glore_seg.apis.complexity import count_config, input_sizes
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.engine.channels import input_channels


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Count parameters and MACs of a config, the unit's products included.",
        epilog="example: python tools/get_flops.py configs/fcn_r50_glore_cityscapes.py "
        "--shape 1024 2048 --depth 2",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument(
        "--shape",
        type=int,
        nargs="+",
        metavar="N",
        help="size of the input: H W in pixels or one number for both (default: 1024 2048, for "
        "classification 224), or T H W for video, T in frames (default: 8 224 224)",
    )
    parser.add_argument(
        "--depth", type=int, default=1, help="levels of modules to list (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    if args.shape and (len(args.shape) > 3 or min(args.shape) < 1):
        parser.error(f"--shape takes one to three positive numbers, got {args.shape}")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Build the model without weights and print its counts."""
    args = parse_args(argv)
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    sizes = input_sizes(cfg, args.shape)
    counts = count_config(cfg, (input_channels(cfg), *sizes))
    if args.json:
        print(json.dumps({"config": args.config, "shape": sizes, **asdict(counts)}))
        return
    print(f"{args.config} at {' x '.join(map(str, sizes))}")
    print(f"{'parameters':<40} {counts.params / 1e6:>10.3f} M")
    print(f"{'  with running statistics':<40} {counts.params_with_stats / 1e6:>10.3f} M")
    print(f"{'MACs':<40} {counts.macs / 1e9:>10.3f} G")
    for name, macs in counts.macs_by_module.items():
        level = name.count(".")
        if level < args.depth:
            print(f"{'  ' * (level + 1) + name:<40} {macs / 1e9:>10.3f} G")


if __name__ == "__main__":
    run_tool(main)
