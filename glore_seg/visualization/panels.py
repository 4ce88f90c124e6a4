"""Panels of input, ground truth and predictions with a legend of the classes.

Shape legend: H, W sizes of an image.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from glore_seg.errors import ConfigError
from glore_seg.visualization.differences import Box

_IGNORED = (0, 0, 0)
_YELLOW = "#ffe800"


def colorize(label: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Paint a label map, (H, W) of class indices to (H, W, 3) RGB; other values become black."""
    table = np.full((256, 3), _IGNORED, dtype=np.uint8)
    table[: len(palette)] = palette
    return table[label.astype(np.uint8)]  # (H, W, 3)


def overlay(
    image: np.ndarray, label: np.ndarray, palette: Sequence[Sequence[int]], *, opacity: float = 0.6
) -> np.ndarray:
    """Lay a painted label map over an image, both (H, W), and return (H, W, 3) RGB.

    Raises:
        ConfigError: Image and label map differ in size, or ``opacity`` is outside 0 to 1.
    """
    if image.shape[:2] != label.shape:
        raise ConfigError(f"image {image.shape[:2]} and label map {label.shape} differ in size")
    if not 0 <= opacity <= 1:
        raise ConfigError(f"opacity must lie between 0 and 1, got {opacity}")
    mixed = (1 - opacity) * image + opacity * colorize(label, palette)
    return mixed.round().astype(np.uint8)


def draw_panel(
    rows: Sequence[Mapping[str, np.ndarray]],
    out_file: str | Path,
    *,
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    opacity: float = 1.0,
    boxes: Sequence[Sequence[Box]] = (),
    notes: Sequence[Mapping[str, str]] = (),
) -> None:
    """Draw images and label maps in rows with titled columns and a legend.

    Args:
        rows: One mapping an image, from column title to an RGB image (H, W, 3) or a label map
            (H, W) of class indices. All rows have the same columns; the first is the image that
            label maps are laid over.
        out_file: Image to write.
        classes: Names of the classes, for the legend; those that occur nowhere are left out.
        palette: RGB color of each class, 0 to 255.
        opacity: Of the label maps over the image.
        boxes: For each row, regions to frame in yellow in all of its columns. Default: none.
        notes: For each row, what to write under the column of a title. Default: nothing.

    Raises:
        ConfigError: There are no rows, or they differ in their columns.
    """
    if not rows or any(list(row) != list(rows[0]) for row in rows):
        raise ConfigError("rows must be one or more mappings with the same columns in one order")
    columns = list(rows[0])
    height, width = rows[0][columns[0]].shape[:2]
    cell, gap = 3.2, 0.2 if any(notes) else 0.0
    figure = Figure(
        figsize=(cell * len(columns), (cell * height / width + gap) * len(rows) + 0.9),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    present: set[int] = set()
    for i, row in enumerate(rows):
        image = row[columns[0]]
        for j, title in enumerate(columns):
            shown = row[title]
            if shown.ndim == 2:
                present.update(np.unique(shown).tolist())
                shown = overlay(image, shown, palette, opacity=opacity)
            axes[i, j].imshow(shown, interpolation="nearest")
            axes[i, j].set_axis_off()
            for box in boxes[i] if boxes else ():
                _frame(axes[i, j], box)
            note = notes[i].get(title) if notes else None
            if note:
                axes[i, j].text(
                    0.5,
                    -0.02,
                    note,
                    transform=axes[i, j].transAxes,
                    ha="center",
                    va="top",
                    fontsize=8,
                    color="#444444",
                )
            if i == 0:
                axes[i, j].set_title(title)
    patches = [
        Patch(color=f"#{bytes(palette[i]).hex()}", label=classes[i])
        for i in sorted(present)
        if i < len(classes)
    ]
    if any(i >= len(classes) for i in present):
        patches.append(Patch(color=_IGNORED, label="ignored"))
    figure.legend(
        handles=patches,
        loc="outside lower center",
        ncol=int(figure.get_figwidth() / 1.5),  # inches that the longest name takes
        fontsize=8,
        frameon=False,
    )
    figure.savefig(out_file, dpi=120)


def _frame(axes: Axes, box: Box) -> None:
    # Cased in black: yellow alone is lost on a traffic sign.
    casing = [withStroke(linewidth=3.2, foreground="black")]
    place = (box.left - 0.5, box.top - 0.5)
    axes.add_patch(
        Rectangle(
            place,
            box.width,
            box.height,
            fill=False,
            edgecolor=_YELLOW,
            linewidth=1.8,
            path_effects=casing,
            clip_on=False,
        )
    )
