"""The command line: phases one after the other, a table, an image, an exit code."""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.common import begin, markdown_table
from benchmarks.soak.image import draw
from benchmarks.soak.inputs import make_inputs
from benchmarks.soak.phase import Course, run_phase
from benchmarks.soak.trend import BOUNDS, WARM_UP, Trend, trend_of

PHASES = ("training", "evaluation", "submission", "page")
_SAID_EVERY = 30  # seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Soak, print the table; return 1 where something grows."""
    bounds = ", ".join(
        f"{name} {absolute:g}" + (f" or {share:.0%}" if share else "")
        for name, (absolute, share) in BOUNDS.items()
    )
    parser = argparse.ArgumentParser(
        description="Train, evaluate, submit and visit the web demo over and over, each in one "
        f"process, and watch what it uses. Behind a warm-up of {WARM_UP:.0%} of the time a "
        f"measure may grow by so much: {bounds}.",
        epilog="example: python -m benchmarks.soak --minutes 24 --image soak.png",
    )
    parser.add_argument("--minutes", type=float, default=24, help="in all (default: 24)")
    parser.add_argument(
        "--what", nargs="+", choices=PHASES, default=[*PHASES], help="default: all four"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples here")
    parser.add_argument("--image", type=Path, metavar="FILE", help="draw the image here")
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
    if args.image:
        draw(courses, args.image)
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
    """Run phases one after the other, for that time in all."""
    clock = _Clock(names, seconds)
    with tempfile.TemporaryDirectory(prefix="glore_seg_soak_") as folder:
        inputs = make_inputs(Path(folder))
        return [run_phase(name, inputs, seconds / len(names), clock.tell) for name in names]


def as_row(course: Course, trends: dict[str, Trend]) -> dict[str, object]:
    """A line of the table: levels, and growth behind the warm-up."""
    row: dict[str, object] = {
        "what": course.name,
        "minutes": round(course.times[-1] / 60, 1),
        "rounds": course.rounds[-1],
    }
    titles = {
        "memory": "memory, MB",
        "malloc": "of it in use, MB",
        "objects": "Python's blocks, thousands",
    }
    for measure in BOUNDS:
        trend = trends[measure]
        digits = 0 if measure in ("handles", "threads", "children") else 1
        row[titles.get(measure, measure)] = f"{trend.level:.{digits}f} ({trend.growth:+.1f})"
    return row


def _trends(course: Course) -> dict[str, Trend]:
    return {measure: trend_of(measure, course.times, course.values[measure]) for measure in BOUNDS}


class _Clock:
    """Tells from time to time how far it is."""

    def __init__(self, names: Sequence[str], seconds: float) -> None:
        self._names = names
        self._each = seconds / len(names)
        self._said = 0.0

    def tell(self, course: Course) -> None:
        """Say a line, unless one was said just now."""
        if time.monotonic() - self._said < _SAID_EVERY:
            return
        self._said = time.monotonic()
        behind = len(self._names) - 1 - list(self._names).index(course.name)
        left = (behind + 1) * self._each - course.times[-1]
        said = ", ".join(f"{name} {values[-1]:.0f}" for name, values in course.values.items())
        print(
            f"{course.name}: {course.rounds[-1]} rounds; {said}; about {left / 60:.0f} min left",
            flush=True,
        )
