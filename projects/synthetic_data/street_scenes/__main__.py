"""Draw a small dataset of street scenes in the layout of Cityscapes.

Example:
    python -m projects.synthetic_data.street_scenes data/street_scenes --num-train 240
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from projects.synthetic_data.street_scenes import make_street_scenes


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", help="folder to write to: new, empty or made by this command")
    parser.add_argument("--num-train", type=int, default=240, help="images (default: 240)")
    parser.add_argument("--num-val", type=int, default=60, help="images (default: 60)")
    parser.add_argument(
        "--num-test", type=int, default=12, help="images without ground truth (default: 12)"
    )
    parser.add_argument(
        "--size", type=int, nargs=2, default=(128, 256), metavar=("H", "W"), help="default: 128 256"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace scenes made with other settings"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the scenes."""
    args = parse_args(argv)
    root = make_street_scenes(
        args.out,
        num_train=args.num_train,
        num_val=args.num_val,
        num_test=args.num_test,
        size=tuple(args.size),
        seed=args.seed,
        overwrite=args.overwrite,
        progress=not args.quiet,
    )
    print(f"{root}: {args.num_train} train, {args.num_val} val, {args.num_test} test")


if __name__ == "__main__":
    run_tool(main, resumable=True)
