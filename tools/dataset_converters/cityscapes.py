"""Check a Cityscapes folder and create the labelTrainIds images that training reads.

Example:
    python tools/dataset_converters/cityscapes.py data/cityscapes --nproc 8
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from glore_seg.datasets.cityscapes import check_cityscapes, make_train_ids


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_root", help="folder with leftImg8bit and gtFine")
    parser.add_argument("--nproc", type=int, default=1, help="number of processes (default: 1)")
    parser.add_argument("--check-only", action="store_true", help="write nothing")
    parser.add_argument(
        "--allow-incomplete",
        action="store_true",
        help="accept other counts than those of Cityscapes, as for another dataset in its layout",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, then create what is missing; return 0 if the folder is complete."""
    args = parse_args(argv)
    report = check_cityscapes(args.data_root, allow_incomplete=args.allow_incomplete)
    print(report)
    if report.problems:
        return 1
    if not report.without_train_ids:
        print("complete")
        return 0
    if args.check_only:
        print(
            f"- {report.without_train_ids} labelTrainIds images are missing: run this command "
            "without --check-only"
        )
        return 1
    created, kept = make_train_ids(args.data_root, num_workers=args.nproc, progress=not args.quiet)
    print(f"labelTrainIds: {created} created, {kept} kept")
    return 0


if __name__ == "__main__":
    run_tool(main, resumable=True)
