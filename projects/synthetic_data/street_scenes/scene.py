"""What is where: a scene from a seed, and cues that decide the class of some objects.

| looks like | cue | class |
| --- | --- | --- |
| gravel strip beside the road | skyline: towers / hills / viaduct | sidewalk / terrain / road |
| long cream box with windows | rails and wires in the foreground: yes / no | train / bus |
| figures behind a guard rail | red cycle lane at the bottom: yes / no | rider / person |
| boarded barrier | crane above the skyline: yes / no | fence / wall |

The pixels of the object are the same for every value of its cue: the object alone does not tell its
class. All four cues are drawn independently of the objects and of each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from projects.synthetic_data.street_scenes import people_and_furniture as people
from projects.synthetic_data.street_scenes import surroundings, vehicles
from projects.synthetic_data.street_scenes.shapes import Color, Part, View, draw

Range = tuple[float, float]
Draw = Callable[[np.random.Generator], list[Part]]
SPLITS = ("train", "val", "test")

# Sky above, sky at the horizon, tint of the light.
LIGHTS: tuple[tuple[Color, Color, Color], ...] = (
    ((84, 146, 214), (196, 222, 240), (1.04, 1.02, 0.98)),
    ((120, 170, 220), (226, 232, 234), (1.0, 1.0, 1.0)),
    ((158, 168, 180), (206, 208, 208), (0.9, 0.92, 0.96)),
    ((104, 130, 186), (246, 204, 158), (1.08, 0.98, 0.86)),
    ((84, 92, 146), (226, 164, 150), (0.9, 0.8, 0.86)),
)
# Each part of a scene has its own random numbers. Other ones give other images: raise DRAWING then.
_STREAMS = {
    "cues": 2339082798,
    "view": 4278037390,
    "backdrop": 3959348840,
    "sides": 2686847251,
    "objects": 1877234109,
    "ego": 1189892464,
}
_GRAVEL = {"towers": "sidewalk", "hills": "terrain", "viaduct": "road"}


@dataclass(frozen=True)
class Cues:
    """What the far surroundings of a scene show."""

    skyline: str  # towers, hills or viaduct
    rails: bool  # of a tram across the foreground, with a wire above
    cycle_lane: bool  # a red one in the foreground
    crane: bool  # above the skyline

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Cues":
        """Draw the four cues, each value as likely as the others."""
        skyline = [*_GRAVEL][rng.integers(len(_GRAVEL))]
        return cls(skyline, *(bool(rng.integers(2)) for _ in range(3)))

    def labels(self) -> dict[str, str]:
        """Labels of the objects that the cues decide."""
        return {
            "gravel": _GRAVEL[self.skyline],
            "cream box": "train" if self.rails else "bus",
            "figure": "rider" if self.cycle_lane else "person",
            "boards": "fence" if self.crane else "wall",
        }


@dataclass(frozen=True)
class Scene:
    """A scene in plane coordinates: its height is 1, whatever the size it is painted at."""

    parts: list[Part]  # back to front
    cues: Cues  # what the surroundings show
    width: float  # over height
    sky: tuple[Color, Color]  # above and at the horizon
    light: Color  # factors on red, green and blue
    grain_seed: tuple[int, ...]  # of the grain and of the sensor's noise


def compose_scene(
    seed: int, split: str, index: int, *, width: float = 2.0, cues: Cues | None = None
) -> Scene:
    """Compose scene number ``index`` of a split (``train``, ``val`` or ``test``).

    The same arguments give the same scene. Other ``cues`` than the drawn ones leave all else as it
    is. What a scene must contain cycles with the index, so that any eight scenes in a row hold all
    19 classes. ``width`` is that over the height, 1 to 4.
    """
    key = (seed, SPLITS.index(split), index)

    def stream(name: str) -> np.random.Generator:
        return np.random.default_rng((*key, _STREAMS[name]))

    cues = cues or Cues.draw(stream("cues"))
    rng = stream("view")
    view = View(x=width * rng.uniform(0.44, 0.56), y=rng.uniform(0.42, 0.48), width=width)
    edges = (-rng.uniform(2.4, 3.2), rng.uniform(2.4, 3.2))
    above, horizon, light = LIGHTS[rng.integers(len(LIGHTS))]
    gain = rng.uniform(0.85, 1.1)

    labels = cues.labels()
    # A stream each for sky, skyline and crane: no cue moves another's random numbers.
    behind = [np.random.default_rng(seed) for seed in stream("backdrop").integers(2**31, size=3)]
    parts = surroundings.sky(behind[0], view)
    parts += surroundings.skyline(behind[1], view, cues.skyline, horizon)
    if cues.crane:
        parts += surroundings.crane(behind[2], view)
    parts += _sides(stream("sides"), view, labels, edges, index)
    if cues.rails:
        parts += surroundings.rails(view)
    if cues.cycle_lane:
        parts += surroundings.cycle_lane(view)
    objects = _objects(stream("objects"), labels, edges, index)
    for item in sorted(objects, key=lambda item: item[2]):
        parts += view.place(*item)
    if stream("ego").random() < 0.7:
        parts += surroundings.ego_vehicle(view)
    red, green, blue = (c * gain for c in light)
    return Scene(parts, cues, width, (above, horizon), (red, green, blue), (*key, 1))


def _sides(
    rng: np.random.Generator, view: View, labels: dict[str, str], edges: Range, index: int
) -> list[Part]:
    """Ground, houses or trees, barriers: left by turns, right at random."""
    names = ("tiles", "grass", "gravel")
    verges = (names[(index + index // 3) % 3], str(rng.choice(names, p=(0.25, 0.25, 0.5))))
    names = ("bricks", "slats", "boards", "none")
    barriers = (names[index % 3], str(rng.choice(names, p=(0.15, 0.15, 0.4, 0.3))))

    parts: list[Part] = []
    for edge, kind in zip(edges, verges, strict=True):
        parts += surroundings.verge(view, kind, edge, labels["gravel"])
    parts += surroundings.ground(rng, view, edges)
    if rng.random() < 0.35:
        parts += surroundings.parking(view, edges[int(rng.integers(2))])
    for edge, kind in zip(edges, barriers, strict=True):
        f = float(np.sign(edge))
        if rng.random() < 0.7:
            parts += surroundings.houses(rng, view, edge + f * 6.6)
        for distance in np.sort(rng.uniform(2.2, 7.5, 3))[::-1]:
            parts += view.place(people.tree(rng), edge + f * rng.uniform(4.8, 6.0), 1 / distance)
        if kind != "none":
            parts += surroundings.barrier(view, kind, edge + f * 3.6, labels["boards"])
        elif rng.random() < 0.6:
            for distance in (5.0, 3.8, 2.9):
                parts += view.place(people.bush(rng), edge + f * 3.6, 1 / distance)
    return parts


def _objects(
    rng: np.random.Generator, labels: dict[str, str], edges: Range, index: int
) -> list[tuple[list[Part], float, float]]:
    """Vehicles, people and furniture as (parts, meters across, nearness)."""
    left, right = edges
    objects: list[tuple[list[Part], float, float]] = []

    def add(item: list[Part], across: float, t: float) -> None:
        objects.append((item, across, t))

    def beside(near: float, far: float) -> float:
        """Meters across for an object ``near`` to ``far`` meters outside the street."""
        f = rng.choice((-1, 1))
        return float((right if f > 0 else left) + f * rng.uniform(near, far))

    def several(count: int, draw: Draw, outside: Range, nearness: Range) -> None:
        for _ in range(count):
            add(draw(rng), beside(*outside), rng.uniform(*nearness))

    # One long vehicle by turns; the cream box, whose class depends on a cue, in more scenes yet.
    large = (vehicles.truck, vehicles.bus, vehicles.train, None)[index % 4]
    if large is not None:
        add(large(rng), rng.uniform(-3.5, 3.5), rng.uniform(0.17, 0.23))
    if large is None or rng.random() < 0.5:
        add(vehicles.cream_box(labels["cream box"]), rng.uniform(-4, 4), rng.uniform(0.15, 0.21))

    several(rng.random() < 0.25, vehicles.truck, (1.0, 2.5), (0.18, 0.24))
    for _ in range(rng.integers(1, 4)):
        add(vehicles.car_rear(rng), rng.uniform(left + 1, right - 1), rng.uniform(0.24, 0.55))
    several(rng.random() < 0.5, vehicles.car_side, (0.4, 1.2), (0.22, 0.36))
    if rng.random() < 0.15:
        label = str(rng.choice(("caravan", "trailer")))
        add(vehicles.caravan(rng, label), beside(1.0, 2.0), rng.uniform(0.2, 0.32))
    if rng.random() < 0.2:
        x, t = rng.uniform(left, right), rng.uniform(0.12, 0.15)
        for k in range(3):
            add(vehicles.car_rear(rng, "cargroup"), x + 1.5 * k, t + 0.001 * k)

    kind = ("bicycle", "motorcycle")[index % 2]
    add(people.ridden(rng, kind), rng.uniform(left + 0.7, right - 0.7), rng.uniform(0.34, 0.52))
    if rng.random() < 0.6:
        item = people.ridden(rng, ("bicycle", "motorcycle")[int(rng.integers(2))])
        add(item, rng.uniform(left + 0.5, right - 0.5), rng.uniform(0.26, 0.42))
    several(rng.random() < 0.5, people.bicycle, (0.6, 1.6), (0.3, 0.5))
    several(rng.random() < 0.35, people.motorcycle, (0.4, 1.2), (0.3, 0.46))

    several(rng.integers(1, 4), people.person, (0.5, 2.8), (0.24, 0.5))
    if rng.random() < 0.2:
        x, t = beside(1.0, 2.0), rng.uniform(0.16, 0.24)
        for k in range(3):
            add(people.person(rng, "persongroup"), x + 0.4 * k, t + 0.001 * k)
    if rng.random() < 0.6:
        x, t = beside(1.4, 2.2), rng.uniform(0.34, 0.46)
        for k in range(-1, 2):
            add(people.figure(rng, labels["figure"]), x + 0.85 * k, t - 0.002)
        add(draw("guard rail"), x, t)  # hides all below one meter

    several(rng.integers(1, 3), people.traffic_light, (0.2, 0.7), (0.26, 0.44))
    several(rng.integers(1, 3), people.traffic_sign, (0.2, 1.6), (0.28, 0.46))
    several(rng.integers(1, 3), people.lamp_post, (0.3, 0.9), (0.16, 0.4))
    several(rng.random() < 0.3, people.bin_, (0.6, 2.4), (0.3, 0.5))
    several(rng.random() < 0.2, people.pram, (0.6, 2.4), (0.3, 0.5))
    return objects
