"""Draw a small action dataset: videos of shapes whose class is their motion.

Example:
    python -m projects.synthetic_data.moving_shapes data/moving_shapes --num-train 960
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from projects.synthetic_data.moving_shapes import MOTIONS, make_moving_shapes


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", help="folder to write to: new, empty or made by this command")
    parser.add_argument("--num-train", type=int, default=960, help="videos (default: 960)")
    parser.add_argument("--num-val", type=int, default=240, help="videos (default: 240)")
    parser.add_argument("--num-frames", type=int, default=32, help="a video (default: 32)")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(64, 64), metavar=("H", "W"), help="default: 64 64"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--raw-frames", action="store_true", help="write folders of frames beside the videos"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace videos made with other settings"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the videos."""
    args = parse_args(argv)
    root = make_moving_shapes(
        args.out,
        num_train=args.num_train,
        num_val=args.num_val,
        num_frames=args.num_frames,
        size=tuple(args.size),
        seed=args.seed,
        raw_frames=args.raw_frames,
        overwrite=args.overwrite,
        progress=not args.quiet,
    )
    print(f"{root}: {args.num_train} train, {args.num_val} val, {len(MOTIONS)} classes")


if __name__ == "__main__":
    run_tool(main, resumable=True)
