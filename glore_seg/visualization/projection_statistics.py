"""Do the nodes of a unit look at different things, and at what the picture shows?

Shape legend: N nodes of a unit; h, w sizes of its map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MapStatistics:
    """How a unit's maps resemble each other, as means of Pearson's correlation, -1 to 1.

    Args:
        between_nodes: Absolute correlation of two nodes' maps on the same picture: near 1 where
            all nodes look at the same, whatever the sign.
        mirrored: A node's map of the mirrored picture, mirrored back, with that of the picture:
            near 1 where maps follow what is in the picture.
        in_place: The same without mirroring back: near 1 where maps hang on the place alone.
    """

    between_nodes: float
    mirrored: float
    in_place: float

    def __str__(self) -> str:
        return (
            f"mean correlation of maps: between two nodes {self.between_nodes:.2f} (absolute); "
            f"of a node on a picture and on its mirror image {self.mirrored:.2f} mirrored back, "
            f"{self.in_place:.2f} as they lie"
        )


def map_statistics(
    weights: Sequence[np.ndarray], mirrored_weights: Sequence[np.ndarray]
) -> MapStatistics:
    """Compare the maps of a unit's nodes with each other, and with those of mirrored pictures.

    Args:
        weights: Maps (N, h, w) of one or more pictures, N at least 2.
        mirrored_weights: Those of the same pictures mirrored left to right.

    Returns:
        Means over all pairs of nodes, or all nodes, and the pictures; even maps, which have no
        correlation, count as 0.

    Raises:
        ValueError: There are no pictures, or not the same shapes for both.
    """
    shapes = [w.shape for w in weights], [w.shape for w in mirrored_weights]
    if not len(weights) or shapes[0] != shapes[1] or any(len(w) < 2 for w in weights):
        raise ValueError(
            f"maps of {shapes[0]} and mirrored ones of {shapes[1]}; expected one or more pictures, "
            "and for both the same (N, h, w) with two nodes or more"
        )
    figures = []
    for maps, others in zip(weights, mirrored_weights, strict=True):
        a, b, c = (_standardised(m) for m in (maps, others, others[..., ::-1]))  # (N, h * w)
        between = np.abs(a @ a.T)[~np.eye(len(a), dtype=bool)]
        figures.append((between.mean(), (a * c).sum(1).mean(), (a * b).sum(1).mean()))
    between_nodes, mirrored, in_place = np.mean(figures, axis=0).tolist()
    return MapStatistics(between_nodes, mirrored, in_place)


def _standardised(maps: np.ndarray) -> np.ndarray:
    """Maps less their mean, of length 1: (N, h * w)."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.maximum(length, np.finfo(np.float64).tiny)
