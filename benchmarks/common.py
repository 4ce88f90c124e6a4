"""Command line, header, tables, JSON and plots of all benchmarks.

Run a benchmark from the repository's root: ``python -m benchmarks.unit --json unit.json``.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from projects.reproduction.measure import machine


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format rows with equal keys as a Markdown table; floats with two digits, None as a dash."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_cell(value) for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def make_parser(description: str, *, example: str) -> argparse.ArgumentParser:
    """A parser with the options of all benchmarks."""
    parser = argparse.ArgumentParser(description=description, epilog=f"example: {example}")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write header and rows to this file"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the plot to this file")
    parser.add_argument(
        "--rounds", type=int, default=15, help="number of timings of each variant (default: 15)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's)")
    return parser


def begin(args: argparse.Namespace, *, device: str = "cpu") -> dict[str, Any]:
    """Set the threads, print the header and return it."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    header = machine(device)
    print(", ".join(f"{name} {value}" for name, value in header.items()), flush=True)
    return header


def finish(
    args: argparse.Namespace, header: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping]]
) -> None:
    """Print the tables as Markdown, and write them as JSON with ``--json``."""
    print_tables(tables)
    write_json(args, header, tables)


def print_tables(tables: Mapping[str, Sequence[Mapping]]) -> None:
    """Print the tables as Markdown."""
    for title, rows in tables.items():
        print(f"\n{title}\n\n{markdown_table(rows)}", flush=True)


def write_json(
    args: argparse.Namespace, header: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping]]
) -> None:
    """Write the tables as JSON with ``--json``."""
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"machine": header, "tables": tables}, indent=1)
        args.json.write_text(text + "\n", encoding="utf-8")


def draw_lines(
    path: Path,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = True,
) -> None:
    """Draw one line per name through its (x, y) points."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    if logarithmic:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def draw_bars(path: Path, bars: Mapping[str, float], *, title: str, xlabel: str) -> None:
    """Draw one bar per name, labeled with its value."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.1 + 0.4 * len(bars)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(list(bars), list(bars.values()))
    axes.bar_label(drawn, fmt="%.4g", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(title=title, xlabel=xlabel)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
