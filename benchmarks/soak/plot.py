"""Plot of the resources of each phase over time."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.soak.phase import Course
from benchmarks.soak.trend import WARM_UP
from glore_seg.utils.files import atomic_write

ROWS = {
    "memory, MB": ("memory", "malloc"),
    "handles, threads, children": ("handles", "threads", "children"),
}
_LABELS = {"memory": "total", "malloc": "allocated"}


def plot(courses: Sequence[Course], path: Path) -> None:
    """Plot a column per phase: memory above, counts below, the warm-up gray."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(courses), 5), layout="constrained")
    grid = figure.subplots(len(ROWS), len(courses), squeeze=False, sharex="col")
    for column, course in enumerate(courses):
        minutes = [time / 60 for time in course.times]
        for row, (title, measures) in enumerate(ROWS.items()):
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
