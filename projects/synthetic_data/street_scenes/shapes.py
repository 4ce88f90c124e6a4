"""Outlines in plane coordinates, and the part: an outline with its label and its paint.

Every outline is a float array of shape (P, 2): P corner points as (x, y).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

Color = tuple[float, float, float]
"""Red, green, blue, each 0..255."""


@dataclass(frozen=True)
class Part:
    """One filled outline of a scene; later parts cover earlier ones.

    Attributes:
        outline: Corner points, shape (P, 2).
        color: Paint, or None for a part that has a label but leaves the image as it is.
        label: Cityscapes label name (``cargroup`` and the like allowed), or None for decoration,
            which changes the image only.
        texture: Strength 0..1 of the fine and of the coarse grain on it.
        alpha: Opacity of the paint, 0..1.
    """

    outline: np.ndarray
    color: Color | None = None
    label: str | None = None
    texture: tuple[float, float] = (0.03, 0.03)
    alpha: float = 1.0

    def moved(self, outline: np.ndarray) -> Part:
        """Return the same part with another outline."""
        return replace(self, outline=outline)


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Return the rectangle between two corners."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def points(*corners: tuple[float, float]) -> np.ndarray:
    """Return the outline through the given corners."""
    return np.array(corners, float)


def ellipse(x: float, y: float, rx: float, ry: float, corners: int = 20) -> np.ndarray:
    """Return an ellipse around (x, y) as a polygon."""
    angle = np.arange(corners) * (2 * np.pi / corners) + np.pi / corners
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def blob(
    rng: np.random.Generator, x: float, y: float, rx: float, ry: float, corners: int = 22
) -> np.ndarray:
    """Return an ellipse with an uneven rim: a tree's crown, a bush, a cloud."""
    rim = ellipse(0, 0, rx, ry, corners) * rng.uniform(0.8, 1.12, (corners, 1))
    return rim + np.array((x, y))


def shade(color: Color, factor: float) -> Color:
    """Return the color made lighter (factor > 1) or darker (factor < 1)."""
    red, green, blue = (float(np.clip(c * factor, 0, 255)) for c in color)
    return red, green, blue


def mix(color: Color, other: Color, share: float) -> Color:
    """Return ``color`` with a ``share`` (0..1) of ``other`` in it."""
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(color, other, strict=True))
    return red, green, blue


def clip(outline: np.ndarray, width: float, height: float) -> np.ndarray:
    """Cut an outline to the rectangle [0, width] x [0, height] (Sutherland and Hodgman).

    Returns:
        The cut outline, shape (Q, 2); Q = 0 where nothing of it lies inside.
    """
    for axis, limit, side in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        kept: list[np.ndarray] = []
        inside = (outline[:, axis] - limit) * side >= 0
        for i in range(len(outline)):
            a, b = outline[i - 1], outline[i]
            if inside[i] != inside[i - 1]:
                kept.append(a + (b - a) * ((limit - a[axis]) / (b[axis] - a[axis])))
            if inside[i]:
                kept.append(b)
        outline = np.array(kept, float).reshape(-1, 2)
    return outline
