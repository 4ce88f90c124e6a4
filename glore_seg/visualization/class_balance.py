"""Shares of the classes as bars."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glore_seg.evaluation.class_balance import ClassBalance
from glore_seg.utils.files import atomic_write


def plot_class_balance(balance: ClassBalance, out_file: str | Path) -> None:
    """Draw the share of pixels and of images of each class, the commonest on top.

    Args:
        balance: What was counted.
        out_file: Image to write, PNG or any format that matplotlib knows.
    """
    order = balance.shares.argsort()
    names = [balance.classes[i] for i in order]
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    shares = 100 * balance.shares[order]
    left.barh(names, shares, color="tab:blue")
    # A share of 0.01 % would be no bar on an even scale.
    left.set_xscale("symlog", linthresh=0.01)
    left.set(xlabel="pixels, % (logarithmic)", xlim=(0, 100))
    in_images = 100 * balance.images[order] / max(balance.num_images, 1)
    right.barh(names, in_images, color="tab:orange")
    right.set(xlabel=f"of {balance.num_images} images, %", xlim=(0, 100))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.01)
    with atomic_write(out_file) as aside:
        figure.savefig(aside, dpi=110)
