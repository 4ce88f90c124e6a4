"""Vehicles, drawn in meters: x to the right, y up, the origin on the ground below the middle.

Each function returns its parts back to front; the first part carries the label.
"""

from __future__ import annotations

import numpy as np

from projects.synthetic_data.street_scenes.shapes import Color, Part, box, ellipse, points, shade

GLASS: Color = (58, 78, 96)
RUBBER: Color = (28, 28, 32)
BODY_COLORS: tuple[Color, ...] = (
    (176, 36, 40), (36, 72, 150), (196, 198, 204), (52, 56, 62), (222, 222, 218), (44, 108, 92),
    (120, 124, 132),
)  # fmt: skip


def _wheel(x: float, radius: float) -> list[Part]:
    return [
        Part(ellipse(x, radius, radius, radius, 16), RUBBER),
        Part(ellipse(x, radius, radius * 0.5, radius * 0.5, 12), (150, 152, 156)),
    ]


def _shadow(half: float) -> Part:
    return Part(ellipse(0, 0.04, half * 1.08, 0.16), (10, 10, 16), alpha=0.45)


def car_rear(rng: np.random.Generator, label: str = "car") -> list[Part]:
    """Return a car seen from behind, with its license plate."""
    paint = BODY_COLORS[rng.integers(len(BODY_COLORS))]
    w, h = rng.uniform(0.88, 1.0), rng.uniform(1.4, 1.7)
    waist = 0.92
    body = points(
        (-w, 0.0), (-w, waist), (-w * 0.72, h), (w * 0.72, h), (w, waist), (w, 0.0),
        (w * 0.72, 0.0), (w * 0.7, 0.16), (-w * 0.7, 0.16), (-w * 0.72, 0.0),
    )  # fmt: skip
    glass = points(
        (-w * 0.78, waist), (-w * 0.62, h - 0.12), (w * 0.62, h - 0.12), (w * 0.78, waist)
    )
    reflection = points((-0.1, waist), (0.12, h - 0.12), (0.3, h - 0.12), (0.1, waist))
    return [
        _shadow(w),
        Part(body, paint, label, (0.03, 0.05)),
        Part(glass, GLASS),
        Part(reflection, (120, 140, 156)),
        Part(box(-w, 0.14, w, 0.36), shade(paint, 0.62)),
        Part(box(-w * 0.98, 0.0, -w * 0.7, 0.2), RUBBER),
        Part(box(w * 0.7, 0.0, w * 0.98, 0.2), RUBBER),
        Part(box(-0.66 * w, 0.6, -0.96 * w, 0.82), (214, 44, 36)),
        Part(box(0.66 * w, 0.6, 0.96 * w, 0.82), (214, 44, 36)),
        Part(box(-0.28, 0.42, 0.28, 0.58), (236, 236, 228), "license plate"),
    ]


def car_side(rng: np.random.Generator) -> list[Part]:
    """Return a car seen from its side, facing left or right."""
    paint = BODY_COLORS[rng.integers(len(BODY_COLORS))]
    f = 1 if rng.integers(2) else -1
    body = points(
        (-2.0, 0.1), (-2.05, 0.8), (-1.5, 0.92), (-0.95, 1.46), (0.55, 1.46), (1.1, 0.95),
        (1.95, 0.78), (2.05, 0.1), (1.6, 0.1), (1.5, 0.0), (1.0, 0.0), (0.9, 0.1),
        (-0.9, 0.1), (-1.0, 0.0), (-1.5, 0.0), (-1.6, 0.1),
    ) * (f, 1)  # fmt: skip
    glass = points((-1.3, 0.94), (-0.88, 1.36), (0.48, 1.36), (0.9, 0.94)) * (f, 1)
    return [
        _shadow(2.0),
        Part(body, paint, "car", (0.03, 0.05)),
        Part(glass, GLASS),
        Part(box(-0.26, 0.92, -0.16, 1.4), paint),
        Part(box(-2.0, 0.14, 2.0, 0.28), shade(paint, 0.65)),
        Part(box(1.82 * f - 0.12, 0.58, 1.82 * f + 0.12, 0.74), (246, 236, 190)),
        *_wheel(-1.25, 0.33),
        *_wheel(1.25, 0.33),
    ]


def truck(rng: np.random.Generator) -> list[Part]:
    """Return a box truck seen from its side."""
    f = 1 if rng.integers(2) else -1
    cab = ((44, 96, 178), (196, 70, 36), (62, 130, 66))[rng.integers(3)]
    load = ((214, 206, 190), (200, 212, 222), (226, 196, 120))[rng.integers(3)]
    outline = points(
        (-3.4, 0.35), (-3.4, 3.1), (1.5, 3.1), (1.7, 2.5), (2.9, 2.4), (3.2, 1.4), (3.25, 0.2),
        (2.6, 0.0), (1.9, 0.0), (1.6, 0.35), (-1.6, 0.35), (-1.9, 0.0), (-2.7, 0.0),
    ) * (f, 1)  # fmt: skip
    front = points((1.7, 0.3), (1.7, 2.5), (2.9, 2.4), (3.2, 1.4), (3.25, 0.3)) * (f, 1)
    ribs = [
        Part(box(x * f - 0.04, 0.7, x * f + 0.04, 3.0), shade(load, 0.82)) for x in range(-3, 2)
    ]
    return [
        _shadow(3.3),
        Part(outline, load, "truck", (0.03, 0.04)),
        *ribs,
        Part(box(-3.4, 0.3, 3.2, 0.65), (62, 62, 66)),
        Part(front, cab),
        Part(points((2.0, 1.4), (2.0, 2.2), (2.75, 2.15), (3.0, 1.4)) * (f, 1), GLASS),
        *_wheel(-2.3 * f, 0.48),
        *_wheel(2.25 * f, 0.48),
    ]


def _windows(x0: float, x1: float, y0: float, y1: float, count: int) -> list[Part]:
    step = (x1 - x0) / count
    return [
        Part(box(x0 + i * step + step * 0.1, y0, x0 + (i + 1) * step - step * 0.1, y1), GLASS)
        for i in range(count)
    ]


def bus(rng: np.random.Generator) -> list[Part]:
    """Return a city bus seen from its side: round wheels, doors, a bright coat."""
    paint = ((232, 176, 28), (206, 44, 44), (240, 132, 30))[rng.integers(3)]
    body = points(
        (-4.2, 0.3), (-4.2, 2.8), (-4.0, 3.0), (4.0, 3.0), (4.2, 2.7), (4.25, 0.3), (3.3, 0.3),
        (3.1, 0.0), (2.4, 0.0), (2.2, 0.3), (-2.2, 0.3), (-2.4, 0.0), (-3.1, 0.0), (-3.3, 0.3),
    )  # fmt: skip
    return [
        _shadow(4.2),
        Part(body, paint, "bus", (0.03, 0.05)),
        Part(box(-4.2, 0.3, 4.2, 0.55), shade(paint, 0.6)),
        *_windows(-4.0, 4.1, 1.5, 2.5, 7),
        Part(box(-0.5, 0.4, 0.5, 2.6), shade(GLASS, 1.25)),
        Part(box(-0.04, 0.4, 0.04, 2.6), shade(paint, 0.5)),
        Part(box(-2.6, 2.62, -0.8, 2.9), (30, 30, 30)),
        *_wheel(-2.75, 0.46),
        *_wheel(2.75, 0.46),
    ]


def train(rng: np.random.Generator) -> list[Part]:
    """Return a tram seen from its side: sloped nose, pantograph, two-colored coat."""
    f = 1 if rng.integers(2) else -1
    paint = ((238, 238, 240), (222, 232, 226))[rng.integers(2)]
    band = ((188, 24, 60), (20, 120, 70), (24, 70, 160))[rng.integers(3)]
    body = points(
        (-5.5, 0.1), (-5.5, 3.1), (-1.0, 3.1), (-0.4, 3.75), (0.2, 3.75), (0.7, 3.1), (4.4, 3.1),
        (5.2, 2.4), (5.7, 0.8), (5.6, 0.1),
    ) * (f, 1)  # fmt: skip
    return [
        _shadow(5.5),
        Part(body, paint, "train", (0.03, 0.05)),
        Part(points((-1.0, 3.1), (-0.4, 3.75), (0.2, 3.75), (0.7, 3.1)) * (f, 1), (96, 100, 106)),
        Part(points((-5.5, 0.45), (-5.5, 1.25), (5.5, 1.25), (5.65, 0.45)) * (f, 1), band),
        Part(points((-5.5, 0.1), (-5.5, 0.45), (5.65, 0.45), (5.6, 0.1)) * (f, 1), (52, 54, 60)),
        *_windows(min(-5.3 * f, 3.9 * f), max(-5.3 * f, 3.9 * f), 1.6, 2.6, 8),
        Part(points((4.3, 1.5), (4.3, 2.75), (5.0, 2.35), (5.35, 1.5)) * (f, 1), GLASS),
    ]


def cream_box(label: str) -> list[Part]:
    """Return the long box that may be a bus or a train: nothing on it tells which."""
    paint = (226, 214, 178)
    return [
        _shadow(4.4),
        Part(box(-4.4, 0.05, 4.4, 3.0), paint, label, (0.03, 0.05)),
        Part(box(-4.4, 0.05, 4.4, 0.5), (66, 92, 96)),
        Part(box(-4.4, 1.05, 4.4, 1.25), (40, 132, 140)),
        Part(box(-4.4, 2.82, 4.4, 3.0), (176, 168, 146)),
        *_windows(-4.3, 4.3, 1.5, 2.6, 8),
    ]


def caravan(rng: np.random.Generator, label: str = "caravan") -> list[Part]:
    """Return a parked caravan (or, under that label, a trailer) seen from its side."""
    body = points(
        (-2.3, 0.35), (-2.35, 1.9), (-2.0, 2.4), (1.6, 2.4), (2.2, 1.6), (2.2, 0.35), (0.5, 0.35),
        (0.4, 0.0), (-0.4, 0.0), (-0.5, 0.35),
    )  # fmt: skip
    stripe = ((170, 120, 80), (90, 140, 170))[rng.integers(2)]
    return [
        _shadow(2.2),
        Part(body, (236, 230, 216), label, (0.03, 0.05)),
        Part(box(-2.3, 0.8, 2.2, 1.05), stripe),
        *_windows(-1.9, 1.5, 1.3, 1.95, 2),
        *_wheel(0.0, 0.33),
    ]
