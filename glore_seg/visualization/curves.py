"""Training curves from the scalars that mmengine logs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glore_seg.errors import ConfigError

Scalars = dict[str, list[tuple[int, float]]]
_TITLES = {"loss": "training loss", "lr": "learning rate", "mIoU": "mIoU on val, %"}
_LINE = "#1f77b4"
_GRAY = "#80868f"  # readable on white and on black


def read_scalars(work_dir: str | Path, *, beside: str | None = None) -> Scalars:
    """Read the scalars of all runs in a work folder: name to (iteration, value), by iteration.

    If two runs logged the same iteration, as after a resume, the value is the later run's. With
    ``beside`` only entries that contain this scalar: training and validation both log ``time``, for
    example, and only entries of training contain ``"loss"``.

    Raises:
        ConfigError: The folder has no scalars, or a line is no JSON object. Only the last line of
            a file may be incomplete, as after a kill.
    """
    files = sorted(Path(work_dir).glob("*/vis_data/scalars.json"))
    if not files:
        raise ConfigError(
            f"{work_dir} has no */vis_data/scalars.json; expected the work folder of a training "
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
        except (ValueError, RecursionError):
            if number == len(lines):
                return
            entry = None
        if not isinstance(entry, dict):
            raise ConfigError(
                f"{file}, line {number} is {line!r:.80}; expected a JSON object: remove the line"
            )
        yield entry


def training_curves(scalars: Scalars) -> dict[str, Figure]:
    """Plot the curves that were logged as separate, transparent figures, by title."""
    figures = {}
    for name, title in _TITLES.items():
        if name not in scalars:
            continue
        figure = Figure(figsize=(4.4, 2.8), layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        axes.margins(y=0.12)  # room for a marker
        marker = "o" if name == "mIoU" else None
        axes.plot(*zip(*scalars[name], strict=True), marker=marker, color=_LINE)
        axes.set_xlabel("iteration", color=_GRAY)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.tick_params(colors=_GRAY)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_GRAY)
        figures[title] = figure
    return figures
