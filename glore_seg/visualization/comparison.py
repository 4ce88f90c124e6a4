"""Models side by side, with the regions framed in which they differ (Fig. 5).

Shape legend: H, W sizes of an image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glore_seg.errors import ConfigError
from glore_seg.visualization.differences import IGNORED, Box, find_boxes, weigh_differences
from glore_seg.visualization.panels import draw_panel

_RANKED_BOXES = 3  # whatever number is drawn: images keep their order


@dataclass(frozen=True)
class Comparison:
    """One image and what several models make of it.

    Args:
        image: RGB image (H, W, 3).
        predictions: Label map (H, W) of each model, by the name to print above it.
        truth: True label map (H, W), 255 where it is ignored; None where there is none.
    """

    image: np.ndarray
    predictions: Mapping[str, np.ndarray]
    truth: np.ndarray | None = None

    def boxes(self, number: int) -> list[Box]:
        """The regions that differ most, see :func:`find_boxes`."""
        return find_boxes(weigh_differences([*self.predictions.values()], self.truth), number)

    @property
    def difference(self) -> float:
        """How much the models differ here: weights of three boxes, as a share of the image."""
        return sum(box.weight for box in self.boxes(_RANKED_BOXES)) / self.image[..., 0].size


def draw_comparison(
    comparisons: Sequence[Comparison],
    out_file: str | Path,
    *,
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    num_boxes: int = 3,
    opacity: float = 1.0,
) -> None:
    """Draw input, ground truth and predictions side by side, a row an image, as Fig. 5 does.

    The regions in which the models differ most are framed in yellow, whichever of them is right.
    With ground truth the share of right pixels stands under each prediction.

    Args:
        comparisons: The images; all of the same models, with or without ground truth.
        out_file: Image to write.
        classes: Names of the classes, for the legend.
        palette: RGB color of each class, 0 to 255.
        num_boxes: Boxes an image at most.
        opacity: Of the label maps over the image.

    Raises:
        ConfigError: Less than two models, images with and without ground truth together, or label
            maps of another size than their image.
    """
    if len({c.truth is None for c in comparisons}) > 1:
        raise ConfigError(
            "some images have ground truth and some have none; draw them in two figures"
        )
    rows, notes = [], []
    for one in comparisons:
        truth = {} if one.truth is None else {"ground truth": one.truth}
        rows.append({"input": one.image, **truth, **one.predictions})
        notes.append({} if one.truth is None else _shares(one.predictions, one.truth))
    draw_panel(
        rows,
        out_file,
        classes=classes,
        palette=palette,
        opacity=opacity,
        boxes=[one.boxes(num_boxes) for one in comparisons],
        notes=notes,
    )


def _shares(predictions: Mapping[str, np.ndarray], truth: np.ndarray) -> dict[str, str]:
    counted = truth != IGNORED
    if not counted.any():
        return {}
    return {
        name: f"{100 * (prediction == truth)[counted].mean():.1f} % of pixels right"
        for name, prediction in predictions.items()
    }
