"""The result of segmenting one image.

Shape legend: H, W size of the image as viewed; K outputs of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glore_seg.visualization.panels import overlay


@dataclass(frozen=True, eq=False)
class Segmentation:
    """An image and its label map.

    Args:
        labels: (H, W) of train ids, which are indices of ``classes``, uint8.
        image: (H, W, 3), RGB, uint8, with EXIF's orientation applied.
        classes: Name of each class.
        palette: RGB color of each class, 0 to 255.
        scores: (K, H, W), float32, 0 to 1; None if they were not asked for.
        path: The file; None for an image from memory.
    """

    labels: np.ndarray = field(repr=False)
    image: np.ndarray = field(repr=False)
    classes: Sequence[str] = field(repr=False)
    palette: Sequence[Sequence[int]] = field(repr=False)
    scores: np.ndarray | None = field(default=None, repr=False)
    path: Path | None = None

    def overlay(self, opacity: float = 0.5) -> np.ndarray:
        """Blend the colored label map over the image, (H, W, 3), RGB, uint8.

        Args:
            opacity: Opacity of the label map, 0 to 1.
        """
        return overlay(self.image, self.labels, self.palette, opacity=opacity)

    def shares(self) -> dict[str, float]:
        """Share of the pixels of each class, 0 to 1; their sum is 1."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes))
        return {
            name: int(count) / self.labels.size
            for name, count in zip(self.classes, counts, strict=False)
        }


@dataclass(frozen=True, eq=False)
class Failure:
    """An image that could not be segmented.

    Args:
        error: The reason; its text names the image.
        path: The file; None for an image from memory.
    """

    error: Exception
    path: Path | None = None
