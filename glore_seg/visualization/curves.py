"""Training curves from the scalars that mmengine writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glore_seg.errors import ConfigError

Scalars = dict[str, list[tuple[int, float]]]
_LINE = "#1f77b4"
_GREY = "#80868f"  # readable on white and on black


def read_scalars(work_dir: str | Path, *, beside: str | None = None) -> Scalars:
    """Read every scalar that the runs of a work folder logged, a resumed run's after the first's.

    Args:
        work_dir: Work folder of one training.
        beside: Read only what was logged together with a scalar of this name: training and
            validation both log ``time``, and ``"loss"`` tells training's. Default: everything.

    Returns:
        Name to (iteration, value) in rising order; where two runs logged the same iteration, the
        later run's value.

    Raises:
        ConfigError: There are no scalars in the folder.
        ConfigError: A line is no JSON object. The last one of a file may be: a run that was killed
            while it wrote leaves half of it.
    """
    files = sorted(Path(work_dir).glob("*/vis_data/scalars.json"))
    if not files:
        raise ConfigError(
            f"{work_dir} holds no */vis_data/scalars.json; expected the work folder of a training "
            "whose visualizer has a LocalVisBackend"
        )
    scalars: dict[str, dict[int, float]] = {}
    for file in files:
        for entry in _entries(file):
            if beside is not None and beside not in entry:
                continue
            step = entry.pop("step", None)
            for name, value in entry.items():
                if type(step) is int and isinstance(value, int | float):
                    scalars.setdefault(name, {})[step] = value
    return {name: sorted(points.items()) for name, points in scalars.items()}


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return
            raise ConfigError(
                f"{file}, line {number} is {line!r:.80}; expected a JSON object ({error}): remove "
                "the line"
            ) from error
        if not isinstance(entry, dict):
            raise ConfigError(
                f"{file}, line {number} is {line!r:.80}; expected a JSON object: remove the line"
            )
        yield entry


def plot_training_curves(
    work_dir: str | Path, out_file: str | Path, *, score: str = "mIoU"
) -> None:
    """Draw loss, learning rate and a validation score over the iterations.

    Args:
        work_dir: Work folder of one training.
        out_file: Image to write, PNG or any format that matplotlib knows.
        score: The validation score to draw, in percent.

    Raises:
        ConfigError: The folder holds no scalars.
    """
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    named = _named(read_scalars(work_dir), score)
    for axes, (name, title, points) in zip(figure.subplots(1, 3), named, strict=True):
        _draw(axes, points, title, marker="o" if name == score else None)
    figure.savefig(out_file, dpi=120)


def training_curves(scalars: Scalars, *, score: str = "mIoU") -> dict[str, Figure]:
    """The same curves as figures of their own, transparent, for a page of any background.

    Args:
        scalars: From :func:`read_scalars`.
        score: The validation score to draw, in percent.

    Returns:
        Title to figure; curves that were not logged are left out.
    """
    figures = {}
    for name, title, points in _named(scalars, score):
        if not points:
            continue
        figure = Figure(figsize=(4.4, 2.8), layout="constrained", facecolor="none")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot(facecolor="none")
        _draw(axes, points, "", marker="o" if name == score else None)
        axes.tick_params(colors=_GREY)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.label.set_color(_GREY)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(_GREY)
        figures[title] = figure
    return figures


def _named(scalars: Scalars, score: str) -> list[tuple[str, str, list[tuple[int, float]]]]:
    titles = {"loss": "training loss", "lr": "learning rate", score: f"{score} on val, %"}
    return [(name, title, scalars.get(name, [])) for name, title in titles.items()]


def _draw(axes: Axes, points: list[tuple[int, float]], title: str, *, marker: str | None) -> None:
    axes.margins(y=0.12)  # room for a marker
    if points:
        axes.plot(*zip(*points, strict=True), marker=marker, color=_LINE)
    axes.set_title(title)
    axes.set_xlabel("iteration")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
