"""Do the nodes of a unit look at different things, and at what the image shows?

Shape legend: P images; N nodes of a unit; h, w sizes of its map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glore_seg.errors import ConfigError


@dataclass(frozen=True)
class MapStatistics:
    """How a unit's maps resemble each other; correlations are Pearson's, as means.

    A map's part that is its image's own is what it differs in from the node's mean map over all
    images: roads lie below and skies above in every image, and borders look alike.

    Args:
        images: P, how many they were.
        between_nodes: Absolute correlation of two nodes' maps on the same image: near 1 where
            all nodes look at the same, whatever the sign.
        own: Share of the variance within maps that is their image's own, 0 to 1: 0 where every
            image gets the same map.
        mirrored: Correlation of the own parts of an image's map and of its mirror image's,
            mirrored back: near 1 where maps follow what is in the image.
        in_place: The same without mirroring back: below ``mirrored`` where maps move with it.
    """

    images: int
    between_nodes: float
    own: float
    mirrored: float
    in_place: float

    def __str__(self) -> str:
        return (
            f"maps on {self.images} images: mean absolute correlation of two nodes "
            f"{self.between_nodes:.2f}; {100 * self.own:.0f} % of a map's variance is its "
            f"image's own, and correlates with the mirrored image's by {self.mirrored:.2f} "
            f"mirrored back, by {self.in_place:.2f} as it lies"
        )


def map_statistics(
    weights: Sequence[np.ndarray], mirrored_weights: Sequence[np.ndarray]
) -> MapStatistics:
    """Compare the maps of a unit's nodes with each other, and with those of mirrored images.

    Args:
        weights: Maps (N, h, w) of two or more images of one size, N at least 2.
        mirrored_weights: Those of the same images mirrored left to right.

    Returns:
        Means over pairs of nodes, or nodes, and images; even maps, which have no correlation,
        count as 0.

    Raises:
        ConfigError: There are fewer images or nodes, or maps of several shapes.
    """
    shapes = sorted({w.shape for w in (*weights, *mirrored_weights)})
    few = len(weights) < 2 or len(weights) != len(mirrored_weights)
    if few or len(shapes) > 1 or len(shapes[0]) != 3 or shapes[0][0] < 2:
        raise ConfigError(
            f"{len(weights)} images and {len(mirrored_weights)} mirrored with maps of {shapes}; "
            "expected two or more of both, and one shape (N, h, w) with two nodes or more: give "
            "images of one size"
        )
    maps, others = (_centred(np.stack(w).astype(np.float64)) for w in (weights, mirrored_weights))
    table = _correlation(maps[:, :, None], maps[:, None])  # (P, N, N)
    own, other_own = _own(maps), _own(others)  # (P, N, h, w)
    variance = np.square(maps).sum(axis=(0, 2, 3))  # (N,)
    share = np.square(own).sum(axis=(0, 2, 3)) / np.maximum(variance, np.finfo(np.float64).tiny)
    return MapStatistics(
        images=len(maps),
        between_nodes=float(np.abs(table[:, ~np.eye(maps.shape[1], dtype=bool)]).mean()),
        own=float(share.mean()),
        mirrored=float(_correlation(own, other_own[..., ::-1]).mean()),
        in_place=float(_correlation(own, other_own).mean()),
    )


def _centred(maps: np.ndarray) -> np.ndarray:
    return maps - maps.mean(axis=(-2, -1), keepdims=True)


def _own(maps: np.ndarray) -> np.ndarray:
    own = maps - maps.mean(axis=0)
    # What rounding leaves of equal maps would correlate with itself.
    return np.where(np.abs(own) > 1e-9 * np.abs(maps).max(), own, 0)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of centered maps along their last two axes; 0 where one is even."""
    product = np.einsum("...hw,...hw->...", a, b)
    norms = [np.sqrt(np.einsum("...hw,...hw->...", x, x)) for x in (a, b)]
    return product / np.maximum(norms[0] * norms[1], np.finfo(np.float64).tiny)
