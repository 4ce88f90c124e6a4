"""`python -m projects.reproduction.paper_tables`: the paper's networks counted."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from glore_seg.apis.visualize import check_figure
from glore_seg.cli import run_tool
from projects.reproduction.paper_tables import TABLES, as_records, as_text, count_rows, points
from projects.reproduction.paper_tables.counting import plot_costs


def main(argv: Sequence[str] | None = None) -> None:
    """Count, print and draw."""
    parser = argparse.ArgumentParser(
        description="Count parameters (P), those with running statistics (P + run) and "
        "MACs (GMAC) of the networks of the paper's tables, and say by how much they are "
        "off what it prints.",
        epilog="example: python -m projects.reproduction.paper_tables --tables table2 figure4 "
        "--plot figure4.png",
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
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw Figure 4 to this file")
    parser.add_argument("--overwrite", action="store_true", help="replace the plot")
    args = parser.parse_args(argv)
    if args.plot and "figure4" not in args.tables:
        parser.error("--plot draws figure4; add it to --tables")
    if args.plot:
        check_figure(args.plot, overwrite=args.overwrite)
    rows = [row for name in args.tables for row in TABLES[name]]
    counted = count_rows(rows, progress=sys.stderr.isatty())
    if args.plot:
        plot_costs(points(counted), args.plot)
    print(json.dumps(as_records(counted), indent=2) if args.json else as_text(counted))


if __name__ == "__main__":
    run_tool(main)
