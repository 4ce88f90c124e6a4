"""Costs of the paper's networks, beside what it prints: `python -m projects.reproduction.paper_tables`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.apis.visualize import check_figure
from glore_seg.cli import run_tool
from projects.reproduction.paper_tables import TABLES, as_records, as_text, count_rows, figure_4
from projects.reproduction.plot_costs import plot_costs


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Count parameters (P), those with running statistics (P + run) and "
        "MACs (GMAC) of the networks of the paper's tables, and say by how much they are "
        "off what it prints.",
        epilog="example: python -m projects.reproduction.paper_tables --tables table2 figure4 "
        "--image figure4.png",
    )
    parser.add_argument(
        "--tables",
        nargs="+",
        choices=list(TABLES),
        default=list(TABLES),
        metavar="TABLE",
        help=f"which of {', '.join(TABLES)} to count (default: all)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="draw Figure 4's networks to this file"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the image")
    args = parser.parse_args(argv)
    if args.image and "figure4" not in args.tables:
        parser.error("--image draws figure4; add it to --tables")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Count, print and draw."""
    args = parse_args(argv)
    if args.image:
        check_figure(args.image, overwrite=args.overwrite)
    rows = [row for name in args.tables for row in TABLES[name]]
    counted = count_rows(rows, progress=sys.stderr.isatty())
    if args.image:
        plot_costs(figure_4.points(counted), args.image)
    print(json.dumps(as_records(counted), indent=2) if args.json else as_text(counted))


if __name__ == "__main__":
    run_tool(main)
