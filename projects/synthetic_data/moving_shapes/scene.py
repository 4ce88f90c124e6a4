"""What is in a video of moving shapes: looks, states and one motion, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPLITS = ("train", "val")

MOTIONS = (
    "right",
    "left",
    "down",
    "up",
    "clockwise",
    "counter-clockwise",
    "growing",
    "shrinking",
)
"""The classes. Class c moves the component ``c // 2`` of the state, forwards where c is even."""

# Least and greatest change of each component of the state in one frame.
_SPEEDS = ((0.02, 0.04), (0.02, 0.04), (0.014, 0.028), (0.015, 0.03))
_NUM_SHAPES = 2
_LEAST_CONTRAST = 90  # between a shape and its mark, summed over the channels


@dataclass(frozen=True)
class Shape:
    """One shape.

    Args:
        corners: Its outline (K, 2) in a circle of radius 1, x across and y down.
        color: RGB, 0 to 255.
        mark: RGB of a spot on one side of it, which shows how it turns.
        start: Its state in frame 0: place across and down in images, turn in full turns
            clockwise, size as a share of the range of sizes; each in [0, 1).
    """

    corners: np.ndarray
    color: tuple[int, int, int]
    mark: tuple[int, int, int]
    start: np.ndarray


@dataclass(frozen=True)
class ShapeScene:
    """A video before it is drawn.

    Args:
        label: Index of the motion in :data:`MOTIONS`.
        shapes: From back to front.
        velocity: Change of every shape's state from frame to frame, (4,).
        background: RGB values (4, 4, 3) in 0 to 255, spread smoothly over the image.
    """

    label: int
    shapes: tuple[Shape, ...]
    velocity: np.ndarray
    background: np.ndarray

    def state(self, shape: Shape, frame: int) -> np.ndarray:
        """Return a shape's state (4,) in a frame; all components wrap around at 1."""
        return (shape.start + self.velocity * frame) % 1.0


def compose_shapes(seed: int, split: str, index: int) -> ShapeScene:
    """Choose what is in a video.

    Args:
        seed: At least 0.
        split: ``"train"`` or ``"val"``.
        index: Number of the video in its split; its class is ``index % 8``.

    Returns:
        The scene, which depends on the arguments alone.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), index])
    label = index % len(MOTIONS)
    component, backwards = divmod(label, 2)
    velocity = np.zeros(4)
    velocity[component] = rng.uniform(*_SPEEDS[component]) * (-1 if backwards else 1)
    shapes = tuple(_shape(rng) for _ in range(_NUM_SHAPES))
    background = rng.uniform(40, 215, (4, 4, 3))
    return ShapeScene(label, shapes, velocity, background)


def _shape(rng: np.random.Generator) -> Shape:
    count = int(rng.integers(3, 7))
    turns = (np.arange(count) + rng.uniform(-0.2, 0.2, count)) / count
    radii = rng.uniform(0.75, 1.0, count)
    corners = radii[:, None] * np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], 1)
    color = rng.integers(0, 256, 3)
    mark = rng.integers(0, 256, 3)
    while np.abs(color - mark).sum() < _LEAST_CONTRAST:
        mark = rng.integers(0, 256, 3)
    return Shape(corners, _rgb(color), _rgb(mark), rng.uniform(0, 1, 4))


def _rgb(values: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in values)
    return red, green, blue
