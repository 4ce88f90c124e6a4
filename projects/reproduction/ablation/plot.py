"""The image of an ablation: a score over the iterations, and where each row ends."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Curve = Sequence[tuple[int, float]]


def plot_ablation(
    curves: Mapping[str, Sequence[Curve]], out_file: str | Path, *, score: str = "mIoU"
) -> None:
    """Draw the mean curve of each row, and its last score as a bar with a dot for each seed.

    The band about a curve reaches from the lowest to the highest seed, the error bar one standard
    deviation each way.

    Args:
        curves: Row to the curves of its seeds: (iteration, score in percent).
        out_file: Image to write, PNG or any format that matplotlib knows.
        score: What the score is called.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    colors = colormaps["tab10"].colors  # type: ignore[attr-defined]
    lasts = []
    for place, (row, seeds) in enumerate(curves.items()):
        color = colors[place % len(colors)]
        by_step = _by_step(seeds)
        steps = list(by_step)
        left.plot(
            steps,
            [statistics.fmean(values) for values in by_step.values()],
            marker="o",
            markersize=3,
            color=color,
            label=row,
        )
        left.fill_between(
            steps,
            [min(values) for values in by_step.values()],
            [max(values) for values in by_step.values()],
            color=color,
            alpha=0.12,
            linewidth=0,
        )
        last = [curve[-1][1] for curve in seeds]
        lasts += last
        right.barh(
            row,
            statistics.fmean(last),
            xerr=statistics.stdev(last) if len(last) > 1 else None,
            color=color,
            alpha=0.6,
            capsize=3,
        )
        right.plot(last, [row] * len(last), "o", markersize=4, color="black", zorder=3)
    left.set(xlabel="iteration", ylabel=f"{score} on val, %")
    left.legend(fontsize="small")
    right.set(xlabel=f"{score} at the last iteration, % (axis cut)")
    margin = max(1.0, 0.5 * (max(lasts) - min(lasts)))
    right.set_xlim(max(0.0, min(lasts) - margin), max(lasts) + margin)
    right.invert_yaxis()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(out_file, dpi=120)


def _by_step(seeds: Sequence[Curve]) -> dict[int, list[float]]:
    """The scores of all seeds at the iterations that every seed has."""
    common = set.intersection(*({step for step, _ in curve} for curve in seeds))
    return {
        step: [value for curve in seeds for at, value in curve if at == step]
        for step in sorted(common)
    }
