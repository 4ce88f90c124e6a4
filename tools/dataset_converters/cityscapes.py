"""Check a Cityscapes folder and make the labelTrainIds images that training reads.

Example:
    python tools/dataset_converters/cityscapes.py data/cityscapes --nproc 8
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from glore_seg.datasets.cityscapes import check_cityscapes
from glore_seg.datasets.train_ids import make_train_ids


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_root", help="folder with leftImg8bit and gtFine")
    parser.add_argument("--nproc", type=int, default=1, help="processes at work (default: 1)")
    parser.add_argument("--check-only", action="store_true", help="make nothing")
    parser.add_argument(
        "--partial",
        action="store_true",
        help="accept any number of images, as for another dataset in this layout",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, then make what is missing; return 0 where all is well."""
    args = parse_args(argv)
    report = check_cityscapes(args.data_root, partial=args.partial)
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
    made, kept = make_train_ids(args.data_root, num_workers=args.nproc, progress=not args.quiet)
    print(f"labelTrainIds: {made} made, {kept} were there")
    return 0


if __name__ == "__main__":
    run_tool(main, resumable=True)
