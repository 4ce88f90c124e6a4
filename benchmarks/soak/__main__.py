"""Command line: runs the phases, prints a table, plots, returns an exit code."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.common import begin, markdown_table
from benchmarks.soak.inputs import make_inputs
from benchmarks.soak.phase import Course, run_phase
from benchmarks.soak.trend import BOUNDS, WARM_UP, Trend, trend_of
from glore_seg.utils.files import atomic_write

PHASES = ("training", "evaluation", "submission", "page")
_PRINT_INTERVAL = 30  # seconds
_ROWS = {
    "memory, MB": ("memory", "malloc"),
    "handles, threads, children": ("handles", "threads", "children"),
}
_LABELS = {"memory": "total", "malloc": "allocated"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the phases and print the table; return 1 if a measure grows."""
    bounds = ", ".join(
        f"{name} {absolute:g}" + (f" or {share:.0%}" if share else "")
        for name, (absolute, share) in BOUNDS.items()
    )
    parser = argparse.ArgumentParser(
        description="Train, evaluate, submit and visit the web demo repeatedly, each in one "
        f"process, and measure its resources. After a warm-up of {WARM_UP:.0%} of the time a "
        f"measure may grow by at most: {bounds}.",
        epilog="example: python -m benchmarks.soak --minutes 24 --plot soak.png",
    )
    parser.add_argument("--minutes", type=float, default=24, help="total time (default: 24)")
    parser.add_argument(
        "--what", nargs="+", choices=PHASES, default=[*PHASES], help="default: all four"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples here")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="plot them here")
    parser.add_argument("--threads", type=int, help="CPU threads of this process, not of the work")
    args = parser.parse_args(argv)
    if not args.minutes > 0:
        parser.error(f"--minutes is {args.minutes:g}; expected more than 0")
    header = begin(args)
    courses = run(args.what, args.minutes * 60)
    trends = {course.name: _trends(course) for course in courses}
    print(f"\n{markdown_table([as_row(course, trends[course.name]) for course in courses])}\n")
    grown = [
        f"{name}: {measure} grows by {trend.growth:.1f}, more than {trend.bound:.1f}"
        for name, found in trends.items()
        for measure, trend in found.items()
        if trend.grows
    ]
    print("\n".join(grown) or "nothing grows beyond its bound")
    if args.plot:
        plot(courses, args.plot)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {
                "machine": header,
                "trends": {
                    name: {measure: asdict(trend) for measure, trend in found.items()}
                    for name, found in trends.items()
                },
                "courses": [asdict(course) for course in courses],
            }
        )
        args.json.write_text(text + "\n")
    return 1 if grown else 0


def run(names: Sequence[str], seconds: float) -> list[Course]:
    """Run phases one after the other, for that total time."""
    clock = _Clock(names, seconds)
    with tempfile.TemporaryDirectory(prefix="glore_seg_soak_") as folder:
        inputs = make_inputs(Path(folder))
        return [run_phase(name, inputs, seconds / len(names), clock.report) for name in names]


def as_row(course: Course, trends: dict[str, Trend]) -> dict[str, object]:
    """A row of the table: levels, and growth after the warm-up."""
    row: dict[str, object] = {
        "what": course.name,
        "minutes": round(course.times[-1] / 60, 1),
        "rounds": course.rounds[-1],
    }
    titles = {
        "memory": "memory, MB",
        "malloc": "allocated, MB",
        "objects": "Python blocks, thousands",
    }
    for measure in BOUNDS:
        trend = trends[measure]
        digits = 0 if measure in ("handles", "threads", "children") else 1
        row[titles.get(measure, measure)] = f"{trend.level:.{digits}f} ({trend.growth:+.1f})"
    return row


def _trends(course: Course) -> dict[str, Trend]:
    return {measure: trend_of(measure, course.times, course.values[measure]) for measure in BOUNDS}


class _Clock:
    """Prints the progress at intervals."""

    def __init__(self, names: Sequence[str], seconds: float) -> None:
        self._names = names
        self._each = seconds / len(names)
        self._printed = 0.0

    def report(self, course: Course) -> None:
        """Print a line, unless the interval has not passed."""
        if time.monotonic() - self._printed < _PRINT_INTERVAL:
            return
        self._printed = time.monotonic()
        later = len(self._names) - 1 - list(self._names).index(course.name)
        left = (later + 1) * self._each - course.times[-1]
        values = ", ".join(f"{name} {values[-1]:.0f}" for name, values in course.values.items())
        print(
            f"{course.name}: {course.rounds[-1]} rounds; {values}; about {left / 60:.0f} min left",
            flush=True,
        )


def plot(courses: Sequence[Course], path: Path) -> None:
    """Plot a column per phase: memory above, counts below, the warm-up gray."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(courses), 5), layout="constrained")
    grid = figure.subplots(len(_ROWS), len(courses), squeeze=False, sharex="col")
    for column, course in enumerate(courses):
        minutes = [time / 60 for time in course.times]
        for row, (title, measures) in enumerate(_ROWS.items()):
            axes = grid[row][column]
            for measure in measures:
                label = _LABELS.get(measure, measure)
                axes.plot(minutes, course.values[measure], linewidth=1, label=label)
            axes.axvspan(0, WARM_UP * minutes[-1], color="0.93", zorder=0)
            axes.set_ylim(bottom=0)
            axes.margins(x=0, y=0.15)
            axes.grid(visible=True, alpha=0.25)
            if column == 0:
                axes.set_ylabel(title)
                axes.legend(fontsize="small", loc="lower right")
        grid[0][column].set_title(f"{course.name}, {course.rounds[-1]} rounds")
        grid[-1][column].set_xlabel("minutes")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=130)


if __name__ == "__main__":
    sys.exit(main())
