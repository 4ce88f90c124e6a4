"""Pixels and images of each class of a dataset, and class weights for a loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from prettytable import PrettyTable

from glore_seg.errors import DataError

IGNORED = 255


@dataclass(frozen=True)
class ClassBalance:
    """Pixels and images of each of K classes.

    Args:
        classes: K names.
        pixels: Labeled pixels of each class, (K,).
        images: Images in which each class occurs, (K,).
        pixels_where_present: Labeled pixels of all classes in those images, (K,).
        num_images: Number of images.
        ignored: Pixels without class.
    """

    classes: tuple[str, ...]
    pixels: np.ndarray
    images: np.ndarray
    pixels_where_present: np.ndarray
    num_images: int
    ignored: int

    @property
    def shares(self) -> np.ndarray:
        """Share of the labeled pixels, (K,), in 0 to 1."""
        return self.pixels / max(int(self.pixels.sum()), 1)

    @property
    def weights(self) -> np.ndarray:
        """Median frequency weights for a loss, (K,); NaN for a class without pixels.

        The frequency of a class is its share of the pixels of those images in which it occurs;
        its weight is the median frequency divided by its own (Eigen and Fergus, ICCV 2015,
        section 6.3.2).
        """
        frequency = np.full(len(self.classes), np.nan)
        np.divide(self.pixels, self.pixels_where_present, out=frequency, where=self.pixels > 0)
        if np.isnan(frequency).all():
            return frequency
        return np.nanmedian(frequency) / frequency

    def as_dict(self) -> dict[str, object]:
        """Results for JSON; the weight of a class without pixels is None."""
        keys = ("name", "pixels", "share", "images", "weight")
        weights = [None if np.isnan(weight) else weight for weight in self.weights.tolist()]
        columns = (self.pixels.tolist(), self.shares.tolist(), self.images.tolist(), weights)
        rows = zip(self.classes, *columns, strict=True)
        return {
            "num_images": self.num_images,
            "ignored_pixels": self.ignored,
            "classes": [dict(zip(keys, row, strict=True)) for row in rows],
        }

    def table(self) -> str:
        """Results as a text table."""
        table = PrettyTable(["class", "pixels, %", "images", "weight"], align="r")
        table.align["class"] = "l"
        for name, share, images, weight in zip(
            self.classes, self.shares, self.images, self.weights, strict=True
        ):
            shown = "-" if np.isnan(weight) else f"{weight:.3f}"
            table.add_row([name, f"{100 * share:.3f}", f"{images}", shown])
        total = int(self.pixels.sum()) + self.ignored
        return (
            f"{table}\n{self.num_images} images; {100 * self.ignored / max(total, 1):.2f} % of "
            "their pixels have no class. Weights: median frequency."
        )


def count_classes(counts: Mapping[str, np.ndarray], classes: Sequence[str]) -> ClassBalance:
    """Sum label maps, by name, of K classes: pixels of each value, (256,), 255 being ignored.

    A DataError names one with a value that is neither.
    """
    k = len(classes)
    pixels, images, present = (np.zeros(k, np.int64) for _ in range(3))
    ignored = 0
    for name, values in counts.items():
        unknown = k + np.flatnonzero(values[k:IGNORED])
        if unknown.size:
            raise DataError(
                f"{name} gives the classes {unknown[:8].tolist()}; expected 0 to {k - 1} for the "
                f"{k} classes, or {IGNORED} where ignored: correct the classes, label_map or "
                "reduce_zero_label of the dataset, or convert the label maps (docs/your_data.md)"
            )
        pixels += values[:k]
        images += values[:k] > 0
        present[values[:k] > 0] += values[:k].sum()
        ignored += int(values[IGNORED])
    return ClassBalance(tuple(classes), pixels, images, present, len(counts), ignored)
