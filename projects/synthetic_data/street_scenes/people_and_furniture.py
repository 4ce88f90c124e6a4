"""People, two-wheelers and street furniture, in meters: x to the right, y up, from the foot."""

import numpy as np

from projects.synthetic_data.street_scenes.shapes import (
    Color,
    Part,
    blob,
    box,
    draw,
    ellipse,
    points,
    shade,
)

STEEL: Color = (112, 116, 120)
SKIN: tuple[Color, ...] = ((232, 190, 160), (198, 148, 112), (140, 96, 70), (96, 66, 50))
COATS: tuple[Color, ...] = (
    (204, 62, 56), (62, 96, 172), (84, 142, 84), (226, 178, 60), (128, 76, 140), (70, 74, 84),
)  # fmt: skip
TROUSERS: tuple[Color, ...] = ((44, 52, 82), (62, 58, 54), (96, 92, 92))


def _pick(rng: np.random.Generator, colors: tuple[Color, ...]) -> Color:
    return colors[rng.integers(len(colors))]


def person(rng: np.random.Generator, label: str = "person") -> list[Part]:
    """Return a walking person, head to feet."""
    tall = rng.uniform(0.92, 1.1)
    coat, legs = _pick(rng, COATS), _pick(rng, TROUSERS)
    step = rng.uniform(0.12, 0.26)
    body = points(
        (-step - 0.1, 0.0), (-0.2, 0.8), (-0.3, 0.85), (-0.3, 1.38), (-0.12, 1.48), (-0.15, 1.74),
        (0.0, 1.82), (0.15, 1.74), (0.12, 1.48), (0.3, 1.38), (0.3, 0.85), (0.2, 0.8),
        (step + 0.1, 0.0), (step - 0.08, 0.0), (0.0, 0.62), (-step + 0.08, 0.0),
    )  # fmt: skip
    parts = draw("person", coat=coat, sleeve=shade(coat, 0.75), skin=_pick(rng, SKIN))
    parts.insert(1, Part(body, legs, label, (0.03, 0.04)))  # on its shadow
    return [part.moved(part.outline * (1, tall)) for part in parts]


def figure(rng: np.random.Generator, label: str) -> list[Part]:
    """Return head and trunk only: with the legs hidden, a person or a rider."""
    coat = _pick(rng, COATS)
    return draw("figure", coat=coat, zip=shade(coat, 0.7), skin=_pick(rng, SKIN), figure=label)


def bicycle(rng: np.random.Generator) -> list[Part]:
    """Return a bicycle seen from its side."""
    return draw("bicycle", frame=_pick(rng, COATS))


def motorcycle(rng: np.random.Generator) -> list[Part]:
    """Return a motorcycle seen from its side."""
    return draw("motorcycle", paint=_pick(rng, ((190, 30, 34), (28, 30, 34), (34, 92, 170))))


def ridden(rng: np.random.Generator, kind: str) -> list[Part]:
    """Return a bicycle or a motorcycle (``kind``) with its rider on it, facing left or right."""
    machine = bicycle(rng) if kind == "bicycle" else motorcycle(rng)
    lift, helmet = (0.0, (236, 236, 236)) if kind == "bicycle" else (-0.08, (34, 34, 40))
    coat, legs = _pick(rng, COATS), _pick(rng, TROUSERS)
    rider = draw("rider", coat=coat, legs=legs, skin=_pick(rng, SKIN), helmet=helmet)
    parts = [
        Part(ellipse(0, 0.02, 1.0, 0.1), (10, 10, 16), alpha=0.4),
        *machine,
        *(part.moved(part.outline + np.array((0, lift))) for part in rider),
    ]
    f = 1 if rng.integers(2) else -1
    return [part.moved(part.outline * (f, 1)) for part in parts]


def lamp_post(rng: np.random.Generator) -> list[Part]:
    """Return a street lamp: a tall pole with an arm."""
    h, f = rng.uniform(5.0, 6.5), 1 if rng.integers(2) else -1
    outline = points(
        (-0.1, 0), (-0.08, h), (1.1, h + 0.1), (1.1, h - 0.12), (0.08, h - 0.2), (0.1, 0)
    )
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
    h = rng.uniform(2.2, 2.7)
    plate = draw(f"traffic sign {rng.integers(4)}")
    raised = (part.moved(part.outline + np.array((0, h))) for part in plate)
    return [Part(box(-0.09, 0, 0.09, h + 0.2), STEEL, "pole"), *raised]


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
    paint = _pick(rng, ((60, 96, 74), (214, 120, 40)))
    return draw("bin", paint=paint, lid=shade(paint, 0.6))


def pram(rng: np.random.Generator) -> list[Part]:
    """Return a pram: ``dynamic``, an ignored label."""
    return draw("pram", hood=_pick(rng, ((66, 70, 130), (150, 60, 90))))
