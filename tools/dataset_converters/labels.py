"""Convert label maps to one channel of 8 bits, and change their values.

Example:
    python tools/dataset_converters/labels.py masks data/mine/labels --map 255=1
"""

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from glore_seg.datasets.label_conversion import convert_labels, parse_mapping


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", help="folder of label maps, with the folders in it")
    parser.add_argument("out", help="folder to write to")
    parser.add_argument(
        "--map",
        nargs="+",
        default=[],
        metavar="OLD=NEW",
        help="new values, such as 255=1, or R,G,B=1 for a color",
    )
    parser.add_argument("--suffix", default=".png", help="of the label maps (default: .png)")
    parser.add_argument("--overwrite", action="store_true", help="replace files in OUT")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Convert."""
    args = parse_args(argv)
    mapping = parse_mapping(args.map)
    number = convert_labels(
        args.labels,
        args.out,
        mapping,
        suffix=args.suffix,
        overwrite=args.overwrite,
        progress=not args.quiet,
    )
    print(f"{number} label maps written to {args.out}")


if __name__ == "__main__":
    run_tool(main)
