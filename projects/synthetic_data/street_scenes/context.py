"""The rules by which an object's class depends on a cue far away from it.

| looks like | cue | class |
| --- | --- | --- |
| gravel strip beside the road | skyline: towers / hills / viaduct | sidewalk / terrain / road |
| long cream box with windows | rails and wires in the foreground: yes / no | train / bus |
| figures behind a guard rail | red cycle lane at the bottom: yes / no | rider / person |
| boarded barrier | crane above the skyline: yes / no | fence / wall |

The pixels of the object are the same for every value of its cue: the object alone does not tell its
class. All four cues are drawn independently of the objects and of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_GRAVEL = {"towers": "sidewalk", "hills": "terrain", "viaduct": "road"}


@dataclass(frozen=True)
class Cues:
    """What the far surroundings of a scene show."""

    skyline: str  # towers, hills or viaduct
    rails: bool  # of a tram across the foreground, with a wire above
    cycle_lane: bool  # a red one in the foreground
    crane: bool  # above the skyline

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Cues:
        """Draw the four cues, each value as likely as the others."""
        skyline = [*_GRAVEL][rng.integers(len(_GRAVEL))]
        return cls(skyline, *(bool(rng.integers(2)) for _ in range(3)))

    @property
    def gravel(self) -> str:
        """Label of the gravel strip."""
        return _GRAVEL[self.skyline]

    @property
    def cream_box(self) -> str:
        """Label of the long cream box."""
        return "train" if self.rails else "bus"

    @property
    def figure(self) -> str:
        """Label of a figure behind a guard rail."""
        return "rider" if self.cycle_lane else "person"

    @property
    def boards(self) -> str:
        """Label of the boarded barrier."""
        return "fence" if self.crane else "wall"
