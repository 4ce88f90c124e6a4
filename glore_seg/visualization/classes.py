"""Plots of class statistics: the confusion matrix and the class balance.

Shape legend: K classes.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from glore_seg.evaluation.class_balance import ClassBalance

_ABSENT = "0.85"  # gray
_SHOWN = 0.5  # percent; smaller shares get no number


def plot_confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Plot pixels by true (row) and predicted (column) class, (K, K), in percent of the true class.

    Each row sums to 100, so rare classes are as visible as frequent ones; the row of a class
    without pixels is gray. The color map is monotonic in lightness, for print and the color-blind.
    """
    total = matrix.sum(1, keepdims=True)
    shares = np.divide(100.0 * matrix, total, out=np.full(matrix.shape, np.nan), where=total > 0)
    size = 2.6 + 0.42 * len(classes)  # inches: for the names, and a number in each cell
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor(_ABSENT)
    image = axes.imshow(np.ma.masked_invalid(shares), cmap="cividis", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        if share >= _SHOWN:
            axes.text(
                column,
                row,
                f"{share:.0f}",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if share > 50 else "white",
                weight="bold" if row == column else "normal",
            )
    ticks = np.arange(len(classes) + 1)
    axes.set_xticks(ticks[:-1], classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks[:-1], classes)
    axes.set_xticks(ticks - 0.5, minor=True)
    axes.set_yticks(ticks - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.4)
    axes.tick_params(which="minor", length=0)
    axes.set(xlabel="predicted", ylabel="true")
    figure.colorbar(image, ax=axes, label="% of the true class's pixels", shrink=0.8)
    return figure


def plot_class_balance(balance: ClassBalance) -> Figure:
    """Plot the share of each class in pixels and in images, the most frequent on top."""
    order = balance.shares.argsort()
    names = [balance.classes[i] for i in order]
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(names, 100 * balance.shares[order], color="tab:blue")
    left.set_xscale("symlog", linthresh=0.01)  # a share of 0.01 % is visible
    left.set(xlabel="pixels, % (logarithmic)", xlim=(0, 100))
    in_images = 100 * balance.images[order] / max(balance.num_images, 1)
    right.barh(names, in_images, color="tab:orange")
    right.set(xlabel=f"of {balance.num_images} images, %", xlim=(0, 100))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.01)
    return figure
