"""Vehicles, drawn in meters: x to the right, y up, the origin on the ground below the middle.

Each function returns its parts back to front; the first part carries the label.
"""

from collections.abc import Iterator

import numpy as np

from projects.synthetic_data.street_scenes.shapes import (
    Color,
    Part,
    box,
    draw,
    ellipse,
    points,
    shade,
    windows,
)

GLASS: Color = (58, 78, 96)
RUBBER: Color = (28, 28, 32)
BODY_COLORS: tuple[Color, ...] = (
    (176, 36, 40), (36, 72, 150), (196, 198, 204), (52, 56, 62), (222, 222, 218), (44, 108, 92),
    (120, 124, 132),
)  # fmt: skip


def _wheels(radius: float, *xs: float) -> Iterator[Part]:
    for x in xs:
        yield Part(ellipse(x, radius, radius, radius, 16), RUBBER)
        yield Part(ellipse(x, radius, radius * 0.5, radius * 0.5, 12), (150, 152, 156))


def _shadow(half: float) -> Part:
    return Part(ellipse(0, 0.04, half * 1.08, 0.16), (10, 10, 16), alpha=0.45)


def car_rear(rng: np.random.Generator, label: str = "car") -> list[Part]:
    """Return a car seen from behind, with its license plate."""
    paint = BODY_COLORS[rng.integers(len(BODY_COLORS))]
    w, h = rng.uniform(0.88, 1.0), rng.uniform(1.4, 1.7)
    waist, bumper = 0.92, shade(paint, 0.62)
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
        *(part.moved(part.outline * (w, 1)) for part in draw("car rear", bumper=bumper)),
        Part(box(-0.28, 0.42, 0.28, 0.58), (236, 236, 228), "license plate"),
    ]


def car_side(rng: np.random.Generator) -> list[Part]:
    """Return a car seen from its side, facing left or right."""
    paint = BODY_COLORS[rng.integers(len(BODY_COLORS))]
    f = 1 if rng.integers(2) else -1
    return [
        _shadow(2.0),
        *draw("car", f, paint=paint),
        Part(box(-0.26, 0.92, -0.16, 1.4), paint),
        Part(box(-2.0, 0.14, 2.0, 0.28), shade(paint, 0.65)),
        Part(box(1.82 * f - 0.12, 0.58, 1.82 * f + 0.12, 0.74), (246, 236, 190)),
        *_wheels(0.33, -1.25, 1.25),
    ]


def truck(rng: np.random.Generator) -> list[Part]:
    """Return a box truck seen from its side."""
    f = 1 if rng.integers(2) else -1
    cab = ((44, 96, 178), (196, 70, 36), (62, 130, 66))[rng.integers(3)]
    load = ((214, 206, 190), (200, 212, 222), (226, 196, 120))[rng.integers(3)]
    ribs = [box(x * f - 0.04, 0.7, x * f + 0.04, 3.0) for x in range(-3, 2)]
    return [
        _shadow(3.3),
        *draw("truck", f, load=load),
        *(Part(rib, shade(load, 0.82)) for rib in ribs),
        Part(box(-3.4, 0.3, 3.2, 0.65), (62, 62, 66)),
        *draw("truck cab", f, cab=cab),
        *_wheels(0.48, -2.3 * f, 2.25 * f),
    ]


def bus(rng: np.random.Generator) -> list[Part]:
    """Return a city bus seen from its side: round wheels, doors, a bright coat."""
    paint = ((232, 176, 28), (206, 44, 44), (240, 132, 30))[rng.integers(3)]
    tones = {"skirt": shade(paint, 0.6), "door": shade(GLASS, 1.25), "gap": shade(paint, 0.5)}
    return [_shadow(4.2), *draw("bus", paint=paint, **tones)]


def train(rng: np.random.Generator) -> list[Part]:
    """Return a tram seen from its side: sloped nose, pantograph, two-colored coat."""
    f = 1 if rng.integers(2) else -1
    paint = ((238, 238, 240), (222, 232, 226))[rng.integers(2)]
    band = ((188, 24, 60), (20, 120, 70), (24, 70, 160))[rng.integers(3)]
    return [
        _shadow(5.5),
        *draw("tram", f, paint=paint, band=band),
        *(Part(pane, GLASS) for pane in windows(*sorted((-5.3 * f, 3.9 * f)), 1.6, 2.6, 8)),
        *draw("tram front", f),
    ]


def cream_box(label: str) -> list[Part]:
    """Return the long box that may be a bus or a train: nothing on it tells which."""
    return [_shadow(4.4), *draw("cream box", **{"cream box": label})]


def caravan(rng: np.random.Generator, label: str = "caravan") -> list[Part]:
    """Return a parked caravan (or, under that label, a trailer) seen from its side."""
    stripe = ((170, 120, 80), (90, 140, 170))[rng.integers(2)]
    return [_shadow(2.2), *draw("caravan", stripe=stripe, caravan=label)]
