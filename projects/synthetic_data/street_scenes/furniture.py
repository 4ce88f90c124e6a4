"""Poles, lights, signs, trees and other street furniture, in meters from its foot."""

from __future__ import annotations

import numpy as np

from projects.synthetic_data.street_scenes.shapes import (
    Color,
    Part,
    blob,
    box,
    ellipse,
    points,
    shade,
)

STEEL: Color = (112, 116, 120)


def lamp_post(rng: np.random.Generator) -> list[Part]:
    """Return a street lamp: a tall pole with an arm."""
    h, f = rng.uniform(5.0, 6.5), 1 if rng.integers(2) else -1
    outline = points(
        (-0.1, 0), (-0.08, h), (1.1, h + 0.1), (1.1, h - 0.12), (0.08, h - 0.2), (0.1, 0)
    )  # fmt: skip
    return [
        Part(outline * (f, 1), STEEL, "pole"),
        Part(box(0.7, h - 0.16, 1.15, h) * (f, 1), (250, 240, 200)),
    ]


def traffic_light(rng: np.random.Generator) -> list[Part]:
    """Return a traffic light on its pole; one of the three lamps is lit."""
    h = rng.uniform(2.6, 3.1)
    lit = rng.integers(3)
    parts = [
        Part(box(-0.09, 0, 0.09, h), STEEL, "pole"),
        Part(box(-0.34, h - 0.25, 0.34, h + 1.3), (34, 38, 36), "traffic light", (0.02, 0.02)),
    ]
    colors: tuple[Color, ...] = ((70, 230, 110), (250, 190, 40), (244, 48, 40))
    for i, color in enumerate(colors):
        lamp = color if i == lit else shade(color, 0.32)
        parts.append(Part(ellipse(0, h + 0.02 + 0.5 * i, 0.22, 0.22, 14), lamp))
    return parts


def traffic_sign(rng: np.random.Generator) -> list[Part]:
    """Return a traffic sign on its pole: blue disc, red triangle, stop or yellow diamond."""
    h, r = rng.uniform(2.2, 2.7), 0.6
    kind = rng.integers(4)
    if kind == 0:
        arrow = points((-0.14, -0.36), (-0.14, 0.1), (0, 0.4), (0.14, 0.1), (0.14, -0.36))
        plate = [
            Part(ellipse(0, h, r, r), (34, 84, 190), "traffic sign"),
            Part(arrow + np.array((0, h)), (244, 244, 244)),
        ]
    elif kind == 1:
        rim = points((-0.72, h - 0.5), (0, h + 0.72), (0.72, h - 0.5))
        plate = [
            Part(rim, (206, 34, 36), "traffic sign"),
            Part(points((-0.42, h - 0.34), (0, h + 0.36), (0.42, h - 0.34)), (246, 246, 240)),
        ]
    elif kind == 2:
        plate = [
            Part(ellipse(0, h, r, r, 8), (206, 34, 36), "traffic sign"),
            Part(box(-0.42, h - 0.12, 0.42, h + 0.12), (246, 246, 240)),
        ]
    else:
        plate = [
            Part(ellipse(0, h, r * 1.15, r * 1.15, 4) , (246, 246, 240), "traffic sign"),
            Part(ellipse(0, h, r * 0.85, r * 0.85, 4), (240, 196, 32)),
        ]  # fmt: skip
    return [Part(box(-0.09, 0, 0.09, h + 0.2), STEEL, "pole"), *plate]


def tree(rng: np.random.Generator) -> list[Part]:
    """Return a tree: trunk and crown are both ``vegetation``, as in Cityscapes."""
    h, r = rng.uniform(3.0, 4.0), rng.uniform(1.3, 1.9)
    green = (rng.uniform(44, 84), rng.uniform(98, 134), rng.uniform(38, 60))
    crown = blob(rng, 0, h, r, r * 1.1)
    return [
        Part(box(-0.16, 0, 0.16, h), (92, 70, 52), "vegetation", (0.06, 0.05)),
        Part(crown, green, "vegetation", (0.12, 0.25)),
        Part(blob(rng, -r * 0.25, h + r * 0.3, r * 0.5, r * 0.45), shade(green, 1.22), alpha=0.7),
        Part(blob(rng, r * 0.3, h - r * 0.4, r * 0.5, r * 0.4), shade(green, 0.74), alpha=0.7),
    ]


def bush(rng: np.random.Generator) -> list[Part]:
    """Return a low bush."""
    green = (rng.uniform(54, 90), rng.uniform(106, 140), rng.uniform(40, 64))
    w = rng.uniform(0.8, 1.5)
    return [Part(blob(rng, 0, 0.5, w, 0.7), green, "vegetation", (0.12, 0.25))]


def bin_(rng: np.random.Generator) -> list[Part]:
    """Return a litter bin: ``static``, an ignored label."""
    paint = ((60, 96, 74), (214, 120, 40))[rng.integers(2)]
    return [
        Part(points((-0.3, 0), (-0.36, 1.0), (0.36, 1.0), (0.3, 0)), paint, "static"),
        Part(box(-0.4, 0.95, 0.4, 1.1), shade(paint, 0.6), "static"),
    ]


def pram(rng: np.random.Generator) -> list[Part]:
    """Return a pram: ``dynamic``, an ignored label."""
    hood = ((66, 70, 130), (150, 60, 90))[rng.integers(2)]
    outline = points((-0.45, 0.0), (-0.5, 0.9), (-0.1, 1.1), (0.4, 0.7), (0.45, 0.0))
    return [
        Part(outline, hood, "dynamic"),
        Part(ellipse(-0.3, 0.14, 0.14, 0.14, 12), (30, 30, 30)),
        Part(ellipse(0.3, 0.14, 0.14, 0.14, 12), (30, 30, 30)),
    ]


def guard_rail(length: float) -> list[Part]:
    """Return a guard rail (an ignored label) that hides all below one metre."""
    half, gray = length / 2, (120, 124, 128)
    return [
        Part(box(-half - 0.1, 0, half + 0.1, 1.05), (150, 154, 158), "guard rail", (0.03, 0.03)),
        Part(box(-half, 0.55, half, 0.65), (98, 102, 106)),
        Part(box(-half, 0.15, half, 0.25), (98, 102, 106)),
        *(Part(box(x - 0.07, 0, x + 0.07, 1.0), gray) for x in np.linspace(-half, half, 4)),
    ]
