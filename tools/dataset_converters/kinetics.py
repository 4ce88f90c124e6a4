r"""Check Kinetics' videos and write mmaction2's lists of the readable ones.

Example:
    python tools/dataset_converters/kinetics.py train.csv val.csv \
        --videos data/kinetics400/videos --out data/kinetics400 --nproc 8
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from glore_seg.datasets.kinetics import convert_kinetics


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "annotations", nargs="+", help="CSV files: label, youtube_id, time_start, time_end, split"
    )
    parser.add_argument(
        "--videos",
        required=True,
        help="folder with ID_000010_000020.mp4 or ID.mp4, in folders of classes or not",
    )
    parser.add_argument("--out", required=True, help="folder for lists, classes and the report")
    parser.add_argument(
        "--classes", help="file with a class per line, in the order of labels (default: sorted)"
    )
    parser.add_argument(
        "--min-frames",
        type=int,
        default=57,
        help="report shorter videos; default: 57, the span of 8 frames at interval 8",
    )
    parser.add_argument("--nproc", type=int, default=1, help="number of processes (default: 1)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Check the videos and write the lists."""
    args = parse_args(argv)
    report = convert_kinetics(
        args.annotations,
        args.videos,
        args.out,
        classes_file=args.classes,
        min_frames=args.min_frames,
        num_workers=args.nproc,
        progress=not args.quiet,
    )
    print(report)


if __name__ == "__main__":
    run_tool(main, resumable=True)
