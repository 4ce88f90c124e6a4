"""The camera: from meters on the street to the image plane.

The plane has its origin at the image's upper left; a unit is the image's height. Depth is told
by the nearness ``t`` = 1 / distance: 1 at the image's bottom edge, towards 0 at the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from projects.synthetic_data.street_scenes.shapes import Part

CAMERA_HEIGHT = 1.5
"""Meters above the street."""


@dataclass(frozen=True)
class View:
    """Where the street vanishes.

    Attributes:
        x: The vanishing point, in image heights from the left.
        y: The horizon, in image heights from the top.
        width: Width of the image over its height.
    """

    x: float
    y: float
    width: float

    def at(self, across: float, up: float, t: float) -> tuple[float, float]:
        """Project a point ``across`` meters right of the camera and ``up`` meters above ground."""
        scale = t * (1 - self.y) / CAMERA_HEIGHT
        return self.x + across * scale, self.y + (CAMERA_HEIGHT - up) * scale

    def floor(self, x0: float, x1: float, t0: float, t1: float) -> np.ndarray:
        """Return a patch of ground between two lines along the street and two nearnesses."""
        corners = ((x0, t0), (x1, t0), (x1, t1), (x0, t1))
        return np.array([self.at(x, 0.0, t) for x, t in corners])

    def side(self, across: float, y0: float, y1: float, t0: float, t1: float) -> np.ndarray:
        """Return an upright patch that runs along the street, ``across`` meters to the right."""
        corners = ((y0, t0), (y0, t1), (y1, t1), (y1, t0))
        return np.array([self.at(across, y, t) for y, t in corners])

    def place(self, parts: list[Part], across: float, t: float) -> list[Part]:
        """Stand an object, drawn in meters, on the street."""
        scale = t * (1 - self.y) / CAMERA_HEIGHT
        foot = np.array(self.at(across, 0.0, t))
        return [part.moved(foot + part.outline * (scale, -scale)) for part in parts]
