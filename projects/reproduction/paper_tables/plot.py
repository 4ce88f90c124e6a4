"""What networks cost, as points."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write

Point = tuple[float, float, str]
# Of Okabe and Ito, to be told apart by all; a shape and a side of the labels each besides.
_STYLES = (
    ("#555555", "D", (0, 7, "center")),
    ("#D55E00", "o", (6, -9, "left")),
    ("#0072B2", "s", (6, 3, "left")),
    ("#009E73", "^", (-6, -9, "right")),
)
_NEAR = 2.0


def plot_costs(series: Mapping[str, Sequence[Point]], out_file: str | Path) -> None:
    """Draw networks by MACs and parameters, a color and shape for each series.

    The left panel holds all of them, the right one those of at most twice the least MACs.

    Args:
        series: Name to points: MACs in thousands of millions, parameters in millions,
            and a short label; one to four series.
        out_file: Image to write, PNG or any format that matplotlib knows; its folder is made
            where missing.

    Raises:
        ConfigError: There are none, or more than can be told apart.
    """
    if not 1 <= len(series) <= len(_STYLES):
        raise ConfigError(f"got {len(series)} series; expected 1 to {len(_STYLES)}")
    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    whole, near = figure.subplots(1, 2, width_ratios=(2, 5))
    limit = _NEAR * min(macs for points in series.values() for macs, _, _ in points)
    for name, style in zip(series, _STYLES, strict=False):
        points = series[name]
        close = [point for point in points if point[0] <= limit]
        _draw(whole, points, style, labeled=[p for p in points if p not in close])
        _draw(near, close, style, labeled=close, name=name)
    whole.set_ylabel("parameters, M")
    for axes in (whole, near):
        axes.set_xlabel("MACs, G")
        axes.margins(0.08)
        axes.grid(alpha=0.3)
    near.legend(loc="lower right")
    with atomic_write(out_file) as temporary:
        figure.savefig(temporary, dpi=120)


def _draw(
    axes: Axes,
    points: Sequence[Point],
    style: tuple[str, str, tuple[int, int, str]],
    *,
    labeled: Sequence[Point],
    name: str | None = None,
) -> None:
    color, marker, (right, up, side) = style
    xs, ys = [macs for macs, _, _ in points], [params for _, params, _ in points]
    axes.plot(xs, ys, linestyle="none", color=color, marker=marker, markersize=5, label=name)
    middle = sum(axes.get_xlim()) / 2
    for macs, params, label in labeled:
        # In the overview, labels of what lies at the right go to the left.
        flip = name is None and macs > middle
        axes.annotate(
            label,
            (macs, params),
            xytext=(-6, -3) if flip else (right, up),
            textcoords="offset points",
            ha="right" if flip else side,
            fontsize=8,
            color=color,
        )
