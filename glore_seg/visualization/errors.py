"""Where a prediction is wrong.

Shape legend: H, W sizes of an image.
"""

import cv2
import numpy as np

from glore_seg.visualization.differences import IGNORED

_WRONG = (255, 140, 0)  # orange: stands out from gray for the color-blind, too
_DIM = 0.6


def paint_errors(image: np.ndarray, prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Paint the wrong pixels orange over a gray copy of the image; ignored ones become black.

    Args:
        image: RGB image (H, W, 3).
        prediction: Label map (H, W).
        truth: True label map (H, W), 255 where it is ignored.

    Returns:
        (H, W, 3), RGB, uint8.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) * _DIM
    painted = np.repeat(gray.round().astype(np.uint8)[..., None], 3, axis=2)  # (H, W, 3)
    painted[prediction != truth] = _WRONG
    painted[truth == IGNORED] = 0
    return painted
