"""Outlines, the part (an outline with its label and its paint), and the camera.

Every outline is a float array of shape (P, 2): P corner points as (x, y).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

Color = tuple[float, float, float]  # red, green, blue, each 0..255
_CAMERA_HEIGHT = 1.5  # meters above the street


@dataclass(frozen=True)
class Part:
    """One filled outline of a scene; later parts cover earlier ones."""

    outline: np.ndarray  # corner points, shape (P, 2)
    color: Color | None = None  # None for a part that has a label but leaves the image as it is
    label: str | None = None  # of Cityscapes or a group's; None for what changes the image only
    texture: tuple[float, float] = (0.03, 0.03)  # strength 0..1 of the fine and the coarse grain
    alpha: float = 1.0  # opacity of the paint, 0..1

    def moved(self, outline: np.ndarray) -> "Part":
        """Return the same part with another outline."""
        return replace(self, outline=outline)


@dataclass(frozen=True)
class View:
    """The camera: from meters on the street to the image plane.

    The plane has its origin at the image's upper left; a unit is the image's height. Depth is told
    by the nearness ``t`` = 1 / distance: 1 at the image's bottom edge, towards 0 at the horizon.
    """

    x: float  # of the vanishing point, in image heights from the left
    y: float  # of the horizon, in image heights from the top
    width: float  # of the image over its height

    def at(self, across: float, up: float, t: float) -> tuple[float, float]:
        """Project a point ``across`` meters right of the camera and ``up`` meters above ground."""
        scale = t * (1 - self.y) / _CAMERA_HEIGHT
        return self.x + across * scale, self.y + (_CAMERA_HEIGHT - up) * scale

    def floor(self, x0: float, x1: float, t0: float, t1: float) -> np.ndarray:
        """Return a patch of ground between two lines along the street and two nearnesses."""
        corners = ((x0, t0), (x1, t0), (x1, t1), (x0, t1))
        return np.array([self.at(x, 0.0, t) for x, t in corners])

    def side(self, across: float, y0: float, y1: float, t0: float, t1: float) -> np.ndarray:
        """Return an upright patch that runs along the street, ``across`` meters to the right."""
        corners = ((y0, t0), (y0, t1), (y1, t1), (y1, t0))
        return np.array([self.at(across, y, t) for y, t in corners])

    def place(self, parts: list[Part], across: float, t: float) -> list[Part]:
        """Place an object, drawn in meters, on the street."""
        scale = t * (1 - self.y) / _CAMERA_HEIGHT
        foot = np.array(self.at(across, 0.0, t))
        return [part.moved(foot + part.outline * (scale, -scale)) for part in parts]


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


def blob(rng: np.random.Generator, x: float, y: float, rx: float, ry: float) -> np.ndarray:
    """Return an ellipse with an uneven rim: a tree's crown, a bush, a cloud."""
    return ellipse(0, 0, rx, ry, 22) * rng.uniform(0.8, 1.12, (22, 1)) + np.array((x, y))


def windows(x0: float, x1: float, y0: float, y1: float, count: int) -> list[np.ndarray]:
    """Return a row of windows between two corners."""
    step = (x1 - x0) / count
    return [
        box(x0 + i * step + step * 0.1, y0, x0 + (i + 1) * step - step * 0.1, y1)
        for i in range(count)
    ]


def draw(name: str, facing: int = 1, **given: Any) -> list[Part]:
    """Return the parts of a drawing of ``drawings.json``, in meters from the foot, back to front.

    A row there is a shape, its numbers, a color and what else a :class:`Part` has. Colors and
    labels by a name in ``given`` are those given. ``facing`` -1 mirrors it.
    """
    parts = []
    for shape, numbers, color, *others in _DRAWINGS[name]:
        outlines = windows(*numbers) if shape == "windows" else [_SHAPES[shape](*numbers)]
        paint = given[color] if isinstance(color, str) else tuple(color)
        label, texture, alpha = (*others, *(None, (0.03, 0.03), 1.0)[len(others) :])
        parts += [
            Part(outline * (facing, 1), paint, given.get(label, label), tuple(texture), alpha)
            for outline in outlines
        ]
    return parts


_DRAWINGS = json.loads(Path(__file__).with_name("drawings.json").read_text())
_SHAPES: dict[str, Callable[..., np.ndarray]] = {"polygon": points, "box": box, "ellipse": ellipse}


def shade(color: Color, factor: float) -> Color:
    """Return the color made lighter (factor > 1) or darker (factor < 1)."""
    red, green, blue = (float(np.clip(c * factor, 0, 255)) for c in color)
    return red, green, blue


def mix(color: Color, other: Color, share: float) -> Color:
    """Return ``color`` with a ``share`` (0..1) of ``other`` in it."""
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(color, other, strict=True))
    return red, green, blue


def clip(outline: np.ndarray, width: float, height: float) -> np.ndarray:
    """Cut an outline to the rectangle [0, width] x [0, height] (Sutherland and Hodgman), (Q, 2)."""
    for axis, limit, sign in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        kept: list[np.ndarray] = []
        inside = (outline[:, axis] - limit) * sign >= 0
        for i in range(len(outline)):
            a, b = outline[i - 1], outline[i]
            if inside[i] != inside[i - 1]:
                kept.append(a + (b - a) * ((limit - a[axis]) / (b[axis] - a[axis])))
            if inside[i]:
                kept.append(b)
        outline = np.array(kept, float).reshape(-1, 2)
    return outline
