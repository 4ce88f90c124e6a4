"""Check a Cityscapes submission: `python tools/check_submission.py results.zip`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import glore_seg  # noqa: F401  patches OpenMMLab, so import it first
from glore_seg.cli import run_tool
from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.label_ids import update_from_files
from glore_seg.evaluation.submission import ExpectedImages, check_submission


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Find everything that the test server would refuse or score wrongly in a "
        "submission, one line each. The exit code is 1 if there is an error. Without errors, print "
        "the four scores of a split that has ground truth, such as val.",
        epilog="example: python tools/check_submission.py results.zip --data-root data/cityscapes",
    )
    parser.add_argument("path", type=Path, help="zip or folder of label id images")
    parser.add_argument(
        "--data-root",
        type=Path,
        default="data/cityscapes",
        help="dataset with the images in leftImg8bit/SPLIT (default: data/cityscapes)",
    )
    parser.add_argument("--split", default="test", help="train, val or test (default: test)")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print the report and return 0 if there is no error."""
    args = parse_args(argv)
    expected = ExpectedImages.of_folder(args.data_root / "leftImg8bit" / args.split, args.split)
    labels = expected.ground_truth(args.data_root) or {}
    scorer = CityscapesScorer()

    def score(key: str, label_ids: np.ndarray) -> None:
        update_from_files(scorer, label_ids, labels[key])

    report = check_submission(
        args.path, expected, on_image=score if labels else None, progress=not args.quiet
    )
    print("\n".join(report.lines()))
    if report.errors:
        return 1
    if labels:
        print(scorer.compute().summary())
    return 0


if __name__ == "__main__":
    run_tool(main)
