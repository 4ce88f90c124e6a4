"""Check a Cityscapes submission: `python tools/check_submission.py results.zip`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.cli import run_tool
from glore_seg.evaluation.submission import (
    ExpectedImages,
    SubmissionScorer,
    check_submission,
)

DATA_ROOT = "data/cityscapes"


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Find everything that the test server would refuse or score wrongly in a "
        "submission, one line each. Ends with 1 where there is a fault. Without one, prints the "
        "four scores of a split that has ground truth, such as val.",
        epilog="example: python tools/check_submission.py results.zip --data-root data/cityscapes",
    )
    parser.add_argument("path", type=Path, help="zip or folder of label id images")
    parser.add_argument(
        "--data-root",
        type=Path,
        help=f"dataset whose leftImg8bit/SPLIT tells the images (default: {DATA_ROOT}; where "
        "that is missing, the cities and counts of Cityscapes' test split)",
    )
    parser.add_argument("--split", default="test", help="default: test")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print the report and return 0 where there is no fault."""
    args = parse_args(argv)
    root = args.data_root or Path(DATA_ROOT)
    images = root / "leftImg8bit" / args.split
    if args.data_root is None and args.split == "test" and not images.is_dir():
        print(f"{images} is missing: only cities and counts of the test split are compared")
        expected = ExpectedImages.of_cityscapes_test()
    else:
        expected = ExpectedImages.of_folder(images, args.split)
    scorer = SubmissionScorer.of_data_set(root, expected)
    report = check_submission(
        args.path,
        expected,
        on_image=scorer.update if scorer else None,
        progress=not args.quiet,
    )
    print("\n".join(report.lines()))
    if report.faults:
        return 1
    if scorer:
        print(scorer.summary())
    return 0


if __name__ == "__main__":
    run_tool(main)
