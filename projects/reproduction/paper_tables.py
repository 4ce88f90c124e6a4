"""Count the paper's networks: `python -m projects.reproduction.paper_tables`."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure
from prettytable import PrettyTable, TableStyle

from glore_seg.apis.complexity import count_complexity
from glore_seg.apis.visualize import check_figure
from glore_seg.cli import run_tool
from glore_seg.utils.files import atomic_write
from glore_seg.utils.progress import track
from projects.reproduction.paper_rows import FIGURE_4, TABLES, Row

Point = tuple[float, float, str]
_PRINTED = 0.05  # the paper prints one digit after the point
_COLUMNS = (
    *("network", "P, M", "P + run, M", "paper, M", "off by, M"),
    *("GMAC", "paper, G", "off by, G", "paper, top-1 %"),
)
# Of Okabe and Ito, to be told apart by all; a shape and a side of the labels each besides.
_STYLES = (
    ("#555555", "D", (0, 7), "center"),
    ("#D55E00", "o", (6, -9), "left"),
    ("#0072B2", "s", (6, 3), "left"),
    ("#009E73", "^", (-6, -9), "right"),
)


@dataclass(frozen=True)
class CountedRow:
    """A row and what its network here costs."""

    row: Row  # what the paper says
    params: int  # trainable ones
    params_with_stats: int  # with running statistics of norms; the paper prints one or the other
    macs: int

    @property
    def params_difference(self) -> float:
        """How many more parameters than printed, of the nearer of both counts; 0 where equal."""
        counts = (self.params, self.params_with_stats)
        return min((_off(count, self.row.paper_params, 1e6) for count in counts), key=abs)

    @property
    def macs_difference(self) -> float:
        """How many more MACs than printed; 0 where equal to the printed digits."""
        return _off(self.macs, self.row.paper_macs, 1e9)


def _off(count: int, printed: float | None, unit: float) -> float:
    difference = 0.0 if printed is None else count - printed
    return difference if abs(difference) / unit > _PRINTED else 0.0


def count_rows(rows: Iterable[Row], *, progress: bool = True) -> list[CountedRow]:
    """Count the networks of rows, each network once, with or without a progress bar."""
    rows = list(rows)
    networks = {(row.network, row.input_shape): row for row in rows}
    counts = {}
    for key, row in track(networks.items(), len(networks), "networks", show=progress):
        with torch.device("meta"):
            network = row.build()
        counts[key] = count_complexity(network, row.input_shape)
    costs = [counts[row.network, row.input_shape] for row in rows]
    return [
        CountedRow(row, cost.params, cost.params_with_stats, cost.macs)
        for row, cost in zip(rows, costs, strict=True)
    ]


def as_text(rows: Iterable[CountedRow]) -> str:
    """Lay rows out as Markdown, a table for each title.

    ``P`` are trainable parameters and ``P + run`` those with running statistics; what is off by
    something is not what the paper prints, to its digits.
    """
    tables: dict[str, PrettyTable] = {}
    for counted in rows:
        row = counted.row
        if row.table not in tables:
            tables[row.table] = PrettyTable(_COLUMNS, align="r")
            tables[row.table].set_style(TableStyle.MARKDOWN)
            tables[row.table].align["network"] = "l"
        cells = (
            (counted.params, 1e6, ".3f"),
            (counted.params_with_stats, 1e6, ".3f"),
            (row.paper_params, 1e6, ".1f"),
            (counted.params_difference or None, 1e6, "+.3f"),
            (counted.macs, 1e9, ".3f"),
            (row.paper_macs, 1e9, ".1f"),
            (counted.macs_difference or None, 1e9, "+.3f"),
            (row.paper_top1, 1, ".4g"),
        )
        texts = ["" if value is None else f"{value / unit:{kind}}" for value, unit, kind in cells]
        tables[row.table].add_row([row.network, *texts])
    return "\n\n".join(f"{title}\n\n{table.get_string()}" for title, table in tables.items())


def points(rows: Iterable[CountedRow]) -> dict[str, list[Point]]:
    """The points of Figure 4 by series: MACs in G, parameters in M, and a label.

    Rows of other tables are left out.
    """
    series: dict[str, list[Point]] = {}
    for counted in rows:
        if counted.row.table != FIGURE_4:
            continue
        network, _, unit = counted.row.network.partition(" + ")
        kind, _, label = unit.rpartition(" ")
        if kind and network == "ResNet-50":
            name = f"ResNet-50 + {kind}"
        else:
            name, label = "plain and SE networks", counted.row.network
        series.setdefault(name, []).append((counted.macs / 1e9, counted.params / 1e6, label))
    return series


def plot_costs(series: Mapping[str, Sequence[Point]], out_file: str | Path) -> None:
    """Draw the four series of :func:`points` to an image, a color and shape for each.

    The left panel holds all points, the right one those of at most twice the least MACs.
    """
    figure = Figure(figsize=(11, 5), layout="constrained")
    whole, near = figure.subplots(1, 2, width_ratios=(2, 5))
    limit = 2 * min(macs for points in series.values() for macs, _, _ in points)
    for (name, points), (color, marker, offset, side) in zip(series.items(), _STYLES, strict=True):
        close = [point for point in points if point[0] <= limit]
        look = {"linestyle": "none", "color": color, "marker": marker, "markersize": 5}
        whole.plot([p[0] for p in points], [p[1] for p in points], **look)
        near.plot([p[0] for p in close], [p[1] for p in close], **look, label=name)
        middle = sum(whole.get_xlim()) / 2
        for macs, params, label in points:
            axes, at, align = near, offset, side
            if macs > limit:
                axes = whole
                if macs > middle:  # labels of what lies at the right go to the left
                    at, align = (-6, -3), "right"
            text = {"fontsize": 8, "color": color, "ha": align}
            axes.annotate(label, (macs, params), xytext=at, textcoords="offset points", **text)
    whole.set_ylabel("parameters, M")
    for axes in (whole, near):
        axes.set_xlabel("MACs, G")
        axes.margins(0.08)
        axes.grid(alpha=0.3)
    near.legend(loc="lower right")
    with atomic_write(out_file) as temporary:
        figure.savefig(temporary, dpi=120)


def main(argv: Sequence[str] | None = None) -> None:
    """Count, print and draw."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.reproduction.paper_tables",
        description="Count parameters (P), those with running statistics (P + run) and "
        "MACs (GMAC) of the networks of the paper's tables, and say by how much they are "
        "off what it prints.",
        epilog="example: %(prog)s --tables table2 figure4 --plot figure4.png",
    )
    names = {"nargs": "+", "choices": list(TABLES), "default": list(TABLES), "metavar": "TABLE"}
    text = f"which of {', '.join(TABLES)} to count (default: all)"
    parser.add_argument("--tables", **names, help=text)
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
    if not args.json:
        print(as_text(counted))
        return
    quoted = ("table", "network", "paper_params", "paper_macs")
    own = ("params", "params_with_stats", "macs")
    records = [
        {key: getattr(each.row, key) for key in quoted} | {key: getattr(each, key) for key in own}
        for each in counted
    ]
    print(json.dumps(records, indent=2))


if __name__ == "__main__":
    run_tool(main)
