"""Draw the frames of a video of moving shapes."""

from __future__ import annotations

import cv2
import numpy as np

from projects.synthetic_data.moving_shapes.scene import Shape, ShapeScene

_SIZES = (0.11, 0.33)  # radii of a shape, in shorter sides of the image
_FINER = 2  # drawn so many times larger, then averaged
_SHIFT = 4  # bits behind the point in OpenCV's coordinates
_MARK = (0.45, 0.3)  # distance of the mark from the middle, and its radius, in radii


def paint_frame(scene: ShapeScene, frame: int, size: tuple[int, int]) -> np.ndarray:
    """Draw one frame.

    Args:
        scene: From :func:`compose_shapes`.
        frame: Its number, at least 0.
        size: Height and width in pixels.

    Returns:
        (H, W, 3), RGB, uint8. What leaves the image on one side comes in on the other.
    """
    height, width = (side * _FINER for side in size)
    canvas = cv2.resize(
        scene.background.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    ).astype(np.uint8)
    for shape in scene.shapes:
        _paint_shape(canvas, shape, scene.state(shape, frame))
    return cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA)


def _paint_shape(canvas: np.ndarray, shape: Shape, state: np.ndarray) -> None:
    height, width = canvas.shape[:2]
    across, down, turn, growth = state
    least, greatest = _SIZES
    radius = min(height, width) * least * (greatest / least) ** growth
    angle = 2 * np.pi * turn
    # y points down, so that this matrix turns clockwise
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = radius * shape.corners @ rotation.T  # (K, 2)
    mark = radius * _MARK[0] * rotation[:, 0]
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            middle = np.array([(across + dx) * width, (down + dy) * height])
            if not _touches(middle, radius, width, height):
                continue
            points = _fixed(corners + middle)
            cv2.fillPoly(canvas, [points], shape.color, cv2.LINE_AA, _SHIFT)
            center = tuple(int(value) for value in _fixed(mark + middle))
            spot = int(_MARK[1] * radius * 2**_SHIFT)
            cv2.circle(canvas, center, spot, shape.mark, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _touches(middle: np.ndarray, radius: float, width: int, height: int) -> bool:
    return -radius < middle[0] < width + radius and -radius < middle[1] < height + radius


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * 2**_SHIFT).astype(np.int32)
