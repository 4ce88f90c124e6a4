"""Convert CamVid (12 classes, 360 x 480) to the layout of Cityscapes.

Example:
    python tools/dataset_converters/camvid.py path/to/camvid data/camvid
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from glore_seg.datasets.camvid import convert_camvid


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("src", help="folder with images/{train,val} and labels/{train,val}")
    parser.add_argument("out", help="folder to write leftImg8bit and gtFine to")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Convert the images."""
    args = parse_args(argv)
    counts = convert_camvid(args.src, args.out, progress=not args.quiet)
    print(f"{args.out}: " + ", ".join(f"{count} {split}" for split, count in counts.items()))


if __name__ == "__main__":
    run_tool(main, resumable=True)
