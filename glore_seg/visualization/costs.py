"""What networks cost, as points."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Point = tuple[float, float, str]
# Of Okabe and Ito, to be told apart by all; a shape each besides.
_STYLES = (("#D55E00", "o"), ("#0072B2", "s"), ("#56B4E9", "^"), ("#555555", "D"))


def plot_costs(series: Mapping[str, Sequence[Point]], out_file: str | Path) -> None:
    """Draw networks by multiply-adds and parameters, a colour and shape for each series.

    Args:
        series: Name to points: multiply-adds in thousands of millions, parameters in millions,
            and a short label; at most four series.
        out_file: Picture to write, PNG or any format that matplotlib knows.

    Raises:
        ValueError: There are more series than can be told apart.
    """
    if len(series) > len(_STYLES):
        raise ValueError(f"got {len(series)} series; expected at most {len(_STYLES)}: draw fewer")
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for (name, points), (color, marker) in zip(series.items(), _STYLES, strict=False):
        axes.plot(
            [macs for macs, _, _ in points],
            [params for _, params, _ in points],
            linestyle="none",
            color=color,
            marker=marker,
            label=name,
        )
        for macs, params, label in points:
            axes.annotate(
                label,
                (macs, params),
                xytext=(5, 4),
                textcoords="offset points",
                fontsize=8,
                color=color,
            )
    axes.set_xlabel("multiply-adds, G")
    axes.set_ylabel("parameters, M")
    axes.margins(x=0.12, y=0.1)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(out_file, dpi=120)
