"""The confusion matrix as an image.

Shape legend: K classes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write

_ABSENT = "0.85"  # gray
_SHOWN = 0.5  # percent; smaller shares get no number


def plot_confusion_matrix(matrix: np.ndarray, classes: Sequence[str], out_file: str | Path) -> None:
    """Draw what the pixels of each class are taken for, in percent of the class.

    Every row adds up to 100, so that rare classes show as well as common ones; the row of a class
    without pixels is gray. The colors rise in lightness alone, so that they read without color
    vision and in print.

    Args:
        matrix: Pixels by true (row) and predicted (column) class, (K, K), not negative.
        classes: K names.
        out_file: Image to write, PNG or any format that matplotlib knows.

    Raises:
        ConfigError: The matrix is not square, does not fit the names, or holds a negative number.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(classes), len(classes)) or not classes:
        raise ConfigError(
            f"the confusion matrix has shape {matrix.shape}; expected a row and a column for each "
            f"of the {len(classes)} classes"
        )
    if (matrix < 0).any():
        raise ConfigError(f"the confusion matrix holds {matrix.min()}; expected counts of pixels")
    total = matrix.sum(1, keepdims=True)
    shares = np.divide(100.0 * matrix, total, out=np.full(matrix.shape, np.nan), where=total > 0)

    size = 2.6 + 0.42 * len(classes)  # inches: room for names, and a cell that holds a number
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_facecolor(_ABSENT)
    image = axes.imshow(np.ma.masked_invalid(shares), cmap="cividis", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        if share >= _SHOWN:
            color = "black" if share > 50 else "white"
            weight = "bold" if row == column else "normal"
            axes.text(
                column, row, f"{share:.0f}", ha="center", va="center", color=color,
                fontsize=8, weight=weight,
            )  # fmt: skip
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.4)
    axes.tick_params(which="minor", length=0)
    axes.set(xlabel="predicted", ylabel="true")
    figure.colorbar(image, ax=axes, label="% of the true class's pixels", shrink=0.8)
    with atomic_write(out_file) as aside:
        figure.savefig(aside, dpi=120)
