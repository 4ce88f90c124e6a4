"""Sky, skyline, ground and the two sides of the street: all that objects stand before and on."""

import numpy as np

from projects.synthetic_data.street_scenes.shapes import (
    Color,
    Part,
    View,
    blob,
    box,
    ellipse,
    mix,
    points,
    shade,
)

FACADES: tuple[Color, ...] = (
    (206, 164, 128), (184, 122, 96), (214, 200, 170),
    (166, 150, 140), (190, 178, 186), (150, 108, 96),
)  # fmt: skip
GRAVEL: Color = (168, 160, 140)
BOARDS: Color = (150, 146, 156)


def sky(rng: np.random.Generator, view: View) -> list[Part]:
    """Return the sky's outline and some clouds; its gradient is painted beneath."""
    parts = [Part(box(0, 0, view.width, 1), None, "sky")]
    for _ in range(rng.integers(2, 5)):
        x, y = rng.uniform(0, view.width), rng.uniform(0.02, 0.2)
        for _ in range(3):
            dx, r = rng.uniform(-0.15, 0.15), rng.uniform(0.06, 0.16)
            cloud = blob(rng, x + dx, y, r, r * 0.28)
            parts.append(Part(cloud, (250, 250, 252), alpha=0.3, texture=(0.0, 0.05)))
    return parts


def skyline(rng: np.random.Generator, view: View, kind: str, haze: Color) -> list[Part]:
    """Return far towers (``building``), hills (``vegetation``) or a viaduct (``bridge``)."""
    parts: list[Part] = []
    if kind == "towers":
        gray = mix((84, 88, 112), haze, 0.12)
        for x in np.arange(0.0, view.width, 0.16):
            w, top = rng.uniform(0.1, 0.16), view.y - rng.uniform(0.16, 0.34)
            tone = shade(gray, rng.uniform(0.85, 1.15))
            parts.append(Part(box(x, top, x + w, view.y + 0.02), tone, "building", (0.02, 0.02)))
            for y in np.arange(top + 0.025, view.y, 0.045):
                parts.append(Part(box(x + 0.02, y, x + w - 0.02, y + 0.014), shade(tone, 1.4)))
    elif kind == "hills":
        for low, high, fade in ((0.2, 0.32, 0.42), (0.1, 0.2, 0.2)):
            x = np.linspace(-0.1, view.width + 0.1, 26)
            phase, count = rng.uniform(0, 6.3), rng.uniform(1.2, 2.2)
            wave = 0.5 + 0.5 * np.sin(phase + x * count * np.pi)
            ridge = np.stack([x, view.y - low - (high - low) * wave], axis=1)
            outline = np.vstack([ridge, [(view.width + 0.1, view.y + 0.02), (-0.1, view.y + 0.02)]])
            green = mix((62, 112, 70), haze, fade)
            parts.append(Part(outline, green, "vegetation", (0.04, 0.05)))
    else:
        stone = mix((156, 124, 104), haze, 0.2)
        top = view.y - rng.uniform(0.24, 0.32)
        deck = box(0, top, view.width, top + 0.055)
        parts.append(Part(deck, stone, "bridge", (0.04, 0.06)))
        parts.append(Part(box(0, top, view.width, top + 0.014), shade(stone, 1.2)))
        for x in np.arange(rng.uniform(0, 0.1), view.width, 0.24):
            high, low = top + 0.05, view.y + 0.02
            pier = points((x, high), (x + 0.085, high), (x + 0.065, low), (x + 0.02, low))
            parts.append(Part(pier, shade(stone, 0.9), "bridge", (0.04, 0.06)))
    return parts


def crane(rng: np.random.Generator, view: View) -> list[Part]:
    """Return a yellow building crane in the sky: ``dynamic``, an ignored label."""
    yellow: Color = (236, 186, 30)
    x = view.x + rng.choice((-1, 1)) * rng.uniform(0.05, 0.2)
    f = rng.choice((-1, 1))
    arm = points((-0.16, 0.12), (-0.16, 0.085), (0.0, 0.065), (0.42, 0.085), (0.42, 0.11))
    return [
        Part(box(x - 0.02, 0.075, x + 0.02, view.y), yellow, "dynamic", (0.02, 0.0)),
        Part(arm * (f, 1) + (x, 0), yellow, "dynamic", (0.02, 0.0)),
        Part(box(-0.17, 0.09, -0.09, 0.17) * (f, 1) + (x, 0), (96, 92, 88), "dynamic"),
    ]


def ground(rng: np.random.Generator, view: View, edges: tuple[float, float]) -> list[Part]:
    """Return the street with its markings between two edges (meters across)."""
    left, right = edges
    tone = rng.uniform(78, 104)
    asphalt: Color = (tone, tone, tone + 4)
    parts = [
        Part(view.floor(left, right, 0.0, 1.6), asphalt, "road", (0.05, 0.06)),
        Part(view.floor(-14, 14, 0.055, 0.075), shade(asphalt, 1.12), "ground", (0.04, 0.04)),
    ]
    white: Color = (206, 206, 200)
    middle = (left + right) / 2
    for distance in np.arange(0.9, 14, 2.2):
        dash = view.floor(middle - 0.08, middle + 0.08, 1 / (distance + 1.1), 1 / distance)
        parts.append(Part(dash, white))
    for edge in edges:
        inner = edge - 0.22 * np.sign(edge)
        parts.append(Part(view.floor(edge, inner, 0.03, 1.6), (176, 174, 168)))
    if rng.random() < 0.3:
        for x in np.arange(left + 0.5, right - 0.5, 0.9):
            parts.append(Part(view.floor(x, x + 0.5, 0.2, 0.25), white))
    return parts


def verge(view: View, kind: str, edge: float, gravel_label: str) -> list[Part]:
    """Return the strip outside the street's edge: ``tiles``, ``grass`` or ``gravel``."""
    f = float(np.sign(edge))
    outer = f * 60.0
    label, color, texture = {
        "tiles": ("sidewalk", (190, 168, 164), (0.03, 0.03)),
        "grass": ("terrain", (116, 156, 72), (0.08, 0.16)),
        "gravel": (gravel_label, GRAVEL, (0.07, 0.05)),
    }[kind]
    parts = [Part(view.floor(edge, outer, 0.0, 1.6), color, label, texture)]
    if kind == "tiles":
        dark = shade(color, 0.8)
        for x in np.arange(0.8, 5, 0.8):
            parts.append(Part(view.floor(edge + f * x, edge + f * (x + 0.05), 0.05, 1.6), dark))
        for distance in np.arange(0.8, 9, 0.5):
            joint = view.floor(edge, edge + f * 8, 1 / (distance + 0.06), 1 / distance)
            parts.append(Part(joint, dark))
    elif kind == "gravel":
        for distance in np.arange(0.8, 9, 0.6):
            strip = view.floor(edge, edge + f * 8, 1 / (distance + 0.25), 1 / distance)
            parts.append(Part(strip, shade(GRAVEL, 1.14), texture=texture))
    return parts


def parking(view: View, edge: float) -> list[Part]:
    """Return parking bays outside the street's edge: an ignored label."""
    f = float(np.sign(edge))
    outer = edge + f * 1.5
    lines = [view.floor(edge, outer, t, t * 1.03) for t in (0.2, 0.27, 0.37, 0.53)]
    return [
        Part(view.floor(edge, outer, 0.2, 0.55), (126, 112, 108), "parking", (0.05, 0.04)),
        *(Part(line, (216, 216, 210)) for line in lines),
    ]


def rails(view: View) -> list[Part]:
    """Return tram rails across the foreground (``rail track``) and the wires over the street."""
    parts = [Part(view.floor(-8, 8, 0.66, 0.79), (112, 92, 82), "rail track", (0.08, 0.05))]
    for t in (0.685, 0.755):
        parts.append(Part(view.floor(-8, 8, t, t + 0.022), (226, 230, 236), texture=(0.0, 0.0)))
    for y in (0.018, 0.045):
        parts.append(Part(box(0, y, view.width, y + 0.009), (26, 28, 34), texture=(0.0, 0.0)))
    return parts


def cycle_lane(view: View) -> list[Part]:
    """Return a red cycle lane across the bottom of the image: ``road``."""
    return [
        Part(view.floor(-8, 8, 0.81, 0.94), (168, 62, 52), "road", (0.05, 0.05)),
        Part(view.floor(-8, 8, 0.805, 0.815), (222, 220, 214)),
    ]


def houses(rng: np.random.Generator, view: View, across: float) -> list[Part]:
    """Return a row of houses along the street, ``across`` meters to the right."""
    parts: list[Part] = []
    distance = 11.0
    while distance > 1.2:
        near = max(distance - rng.uniform(1.4, 2.6), 1.0)
        t0, t1 = 1 / distance, 1 / near
        h = rng.uniform(4.2, 7.0)
        facade = FACADES[rng.integers(len(FACADES))]
        parts.append(Part(view.side(across, 0, h, t0, t1), facade, "building", (0.03, 0.06)))
        parts.append(Part(view.side(across, h - 0.35, h, t0, t1), shade(facade, 0.6)))
        for floor in range(int((h - 1.0) / 1.7)):
            for col in range(3):
                a = distance + (near - distance) * (0.12 + 0.3 * col)
                b = distance + (near - distance) * (0.28 + 0.3 * col)
                low = 1.0 + 1.7 * floor
                glass = (250, 222, 150) if rng.random() < 0.15 else (74, 88, 108)
                parts.append(Part(view.side(across, low, low + 1.0, 1 / a, 1 / b), glass))
        distance = near
    return parts


def barrier(view: View, kind: str, across: float, boards_label: str) -> list[Part]:
    """Return what runs along the street: ``bricks`` (wall), ``slats`` (fence) or ``boards``."""
    t0, t1 = 0.09, 0.7
    if kind == "bricks":
        parts = [Part(view.side(across, 0, 2.0, t0, t1), (158, 84, 66), "wall", (0.06, 0.06))]
        for y in np.arange(0.3, 2.0, 0.34):
            parts.append(Part(view.side(across, y, y + 0.06, t0, t1), (196, 156, 138)))
        parts.append(Part(view.side(across, 1.86, 2.06, t0, t1), (190, 180, 170)))
    elif kind == "slats":
        parts = [Part(view.side(across, 0, 1.9, t0, t1), (96, 112, 92), "fence", (0.05, 0.05))]
        for distance in np.arange(1.45, 11, 0.22):
            slat = view.side(across, 0, 1.9, 1 / (distance + 0.12), 1 / distance)
            parts.append(Part(slat, (232, 230, 222)))
        parts.append(Part(view.side(across, 1.4, 1.55, t0, t1), (200, 198, 190)))
    else:
        parts = [Part(view.side(across, 0, 2.0, t0, t1), BOARDS, boards_label, (0.04, 0.05))]
        for distance in np.arange(1.45, 11, 0.9):
            panel = view.side(across, 0, 2.0, 1 / (distance + 0.42), 1 / distance)
            parts.append(Part(panel, shade(BOARDS, 1.15), texture=(0.04, 0.05)))
        parts.append(Part(view.side(across, 0.9, 1.1, t0, t1), (196, 120, 84)))
    return parts


def ego_vehicle(view: View) -> list[Part]:
    """Return the hood of the recording car at the bottom: ``ego vehicle``, ignored."""
    hood = ellipse(view.width / 2, 1.05, view.width * 0.52, 0.1, 40)
    shine = ellipse(view.width / 2, 1.09, view.width * 0.4, 0.1, 40)
    return [
        Part(hood, (34, 36, 42), "ego vehicle", (0.02, 0.0)),
        Part(shine, (62, 66, 76), texture=(0.02, 0.0)),
    ]
