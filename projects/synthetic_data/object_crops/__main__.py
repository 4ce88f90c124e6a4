"""Cut objects out of a labeled dataset, a folder of crops for each class, for a classifier.

Example:
    python -m projects.synthetic_data.object_crops data/street_scenes data/street_crops
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from projects.synthetic_data.object_crops import OBJECT_CLASSES, CropSettings, make_object_crops


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("src", help="dataset in the layout of Cityscapes, with labelIds")
    parser.add_argument("out", help="folder to write to: new, empty or made by this command")
    parser.add_argument(
        "--classes",
        nargs="+",
        default=OBJECT_CLASSES,
        metavar="NAME",
        help=f"names of Cityscapes' labels (default: {', '.join(OBJECT_CLASSES)})",
    )
    parser.add_argument("--size", type=int, default=96, help="side of a crop (default: 96 pixels)")
    parser.add_argument(
        "--context",
        type=float,
        default=2.5,
        help="side of the window over the longer side of the object (default: 2.5)",
    )
    parser.add_argument(
        "--min-side", type=int, default=16, help="of an object, in pixels (default: 16)"
    )
    parser.add_argument(
        "--num-train", type=int, default=240, help="crops a class, at most (default: 240)"
    )
    parser.add_argument(
        "--num-val", type=int, default=100, help="crops a class, at most (default: 100)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace crops made with other settings"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Cut the crops."""
    args = parse_args(argv)
    settings = CropSettings(
        classes=tuple(args.classes),
        size=args.size,
        context=args.context,
        min_side=args.min_side,
        num_train=args.num_train,
        num_val=args.num_val,
        seed=args.seed,
    )
    counts = make_object_crops(
        args.src,
        args.out,
        settings=settings,
        overwrite=args.overwrite,
        progress=not args.quiet,
    )
    for split, numbers in counts.items():
        each = ", ".join(f"{number} {name}" for name, number in numbers.items())
        print(f"{args.out}/{split}: {each}")


if __name__ == "__main__":
    run_tool(main, resumable=True)
