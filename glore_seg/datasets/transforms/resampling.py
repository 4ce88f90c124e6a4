"""Compute a crop of a resized image without the rest of the resized image.

OpenCV's bilinear ``resize`` from W to w pixels takes output x from source position
(x + 1/2) W/w - 1/2 and clamps at the border. A crop shifts and a flip reverses these positions: an
affine map, which ``warpAffine`` evaluates for the pixels of the crop alone. Nearest neighbors take
floor(x W/w).
"""

from typing import NamedTuple

import cv2
import numpy as np

_EXACT_POSITIONS = int(cv2.__version__.split(".")[0]) >= 5


class Crop(NamedTuple):
    """A crop of a resized image, all in pixels of the resized one.

    Args:
        resized: Height and width of the resized image.
        top: First row.
        left: First column.
        size: Height and width of the crop, within the resized image.
    """

    resized: tuple[int, int]
    top: int
    left: int
    size: tuple[int, int]


def crop_of_resized_image(image: np.ndarray, crop: Crop, *, flip: bool = False) -> np.ndarray:
    """Equal ``cv2.resize`` with bilinear interpolation, then crop, then flip.

    Gray levels differ by at most 1, by rounding. Before OpenCV 5 ``warpAffine`` rounds positions
    to 1/32 pixel: there the whole image is resized, and nothing differs.

    Args:
        image: Shape (H, W, 3), uint8; may be a read-only view of a file.
        crop: The crop.
        flip: Whether to flip the crop horizontally.

    Returns:
        Shape (h, w, 3), uint8, contiguous, writable.
    """
    height, width = crop.size
    if crop.resized != image.shape[:2] and not _EXACT_POSITIONS:
        image = cv2.resize(image, crop.resized[::-1], interpolation=cv2.INTER_LINEAR)
    if crop.resized == image.shape[:2]:
        window = image[crop.top : crop.top + height, crop.left : crop.left + width]
        return cv2.flip(window, 1) if flip else window.copy()
    step_y, step_x = _steps(image, crop)
    first_y, first_x = _position(crop.top, step_y), _position(crop.left, step_x)
    rows = _window(first_y, step_y, height, image.shape[0])
    columns = _window(first_x, step_x, width, image.shape[1])
    # OpenCV gathers pixels of 4 bytes more than twice as fast as those of 3
    window = cv2.cvtColor(image[rows, columns], cv2.COLOR_BGR2BGRA)
    first_x -= columns.start
    first_y -= rows.start
    if flip:
        first_x, step_x = first_x + (width - 1) * step_x, -step_x
    cropped = cv2.warpAffine(
        window,
        np.array([[step_x, 0.0, first_x], [0.0, step_y, first_y]]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.cvtColor(cropped, cv2.COLOR_BGRA2BGR)


def crop_of_resized_label(label: np.ndarray, crop: Crop) -> np.ndarray:
    """Equal ``cv2.resize`` with nearest neighbors, then crop, to the pixel.

    Args:
        label: Shape (H, W), uint8.
        crop: The crop.

    Returns:
        Shape (h, w), uint8, contiguous, writable.
    """
    (step_y, step_x), (height, width) = _steps(label, crop), crop.size
    rows = _nearest(crop.top, height, step_y, label.shape[0])
    columns = _nearest(crop.left, width, step_x, label.shape[1])
    window = label[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rows, columns = rows - rows[0], columns - columns[0]
    if window.shape[0] < height:  # the slower pass on the fewer rows
        return np.take(window, columns, axis=1)[rows]
    return np.take(window[rows], columns, axis=1)


def _steps(source: np.ndarray, crop: Crop) -> tuple[float, float]:
    # as OpenCV computes it: the inverse of the inverse, in double precision
    return (
        1.0 / (crop.resized[0] / source.shape[0]),
        1.0 / (crop.resized[1] / source.shape[1]),
    )


def _position(index: int, step: float) -> float:
    return (index + 0.5) * step - 0.5


def _window(first: float, step: float, length: int, limit: int) -> slice:
    """Return the source pixels that bilinear interpolation reads, and one more on each side."""
    last = first + (length - 1) * step
    return slice(max(int(first) - 1, 0), min(int(last) + 3, limit))


def _nearest(first: int, length: int, step: float, limit: int) -> np.ndarray:
    indices = np.floor(np.arange(first, first + length) * step).astype(np.intp)
    return np.minimum(indices, limit - 1)
