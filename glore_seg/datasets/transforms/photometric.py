"""mmsegmentation's photometric distortion in integer arithmetic, with the same result."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from mmseg.datasets.transforms import PhotoMetricDistortion
from mmseg.registry import TRANSFORMS

from glore_seg.errors import DataError

_LEVELS = np.arange(256, dtype=np.uint8)


@TRANSFORMS.register_module()
class FastPhotoMetricDistortion(PhotoMetricDistortion):
    """``PhotoMetricDistortion`` with the same result for the same random numbers.

    Brightness, contrast, saturation and hue map each byte of a channel by itself. The 256 results
    are computed by mmsegmentation's arithmetic; images take them from a table, or from OpenCV's
    vector arithmetic if that gives the same 256. Saturation and hue convert to HSV and back each:
    the rounding to BGR between them is part of the result.

    Arguments and keys are those of ``PhotoMetricDistortion``.

    Raises:
        DataError: ``img`` is not (H, W, 3) in uint8.
    """

    def transform(self, results: dict) -> dict:
        """Distort ``results["img"]``."""
        image = results["img"]
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise DataError(
                f"{results.get('img_path')} has {image.dtype} pixels of shape {image.shape}; "
                "expected uint8 of shape (H, W, 3): leave to_float32 out, and place "
                "FastPhotoMetricDistortion before transforms that return floats"
            )
        return super().transform(results)

    def brightness(self, img: np.ndarray) -> np.ndarray:
        """Add to all channels, with probability 1/2."""
        if not np.random.randint(2):
            return img
        shift = np.random.uniform(-self.brightness_delta, self.brightness_delta)
        floor = np.full(4, float(math.floor(shift)))  # one for each channel
        table = self.convert(_LEVELS, beta=shift)
        return _mapped(img, table, lambda pixels: cv2.add(pixels, floor))

    def contrast(self, img: np.ndarray) -> np.ndarray:
        """Scale all channels, with probability 1/2."""
        if not np.random.randint(2):
            return img
        return self._scaled(img, np.random.uniform(self.contrast_lower, self.contrast_upper))

    def saturation(self, img: np.ndarray) -> np.ndarray:
        """Scale the saturation, with probability 1/2."""
        if not np.random.randint(2):
            return img
        factor = np.random.uniform(self.saturation_lower, self.saturation_upper)
        return _in_hsv(img, 1, lambda plane: self._scaled(plane, factor))

    def hue(self, img: np.ndarray) -> np.ndarray:
        """Shift the hue, with probability 1/2."""
        if not np.random.randint(2):
            return img
        shift = np.random.randint(-self.hue_delta, self.hue_delta)
        table = ((_LEVELS.astype(int) + shift) % 180).astype(np.uint8)
        return _in_hsv(img, 0, lambda plane: cv2.LUT(plane, table))

    def _scaled(self, img: np.ndarray, factor: float) -> np.ndarray:
        # OpenCV rounds, mmsegmentation truncates
        return _mapped(
            img,
            self.convert(_LEVELS, alpha=factor),
            lambda pixels: cv2.convertScaleAbs(pixels, alpha=factor, beta=-0.5),
        )


def _mapped(
    image: np.ndarray, table: np.ndarray, arithmetic: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    if np.array_equal(arithmetic(_LEVELS).ravel(), table):
        return arithmetic(image)
    return cv2.LUT(image, table)


def _in_hsv(
    image: np.ndarray, channel: int, operation: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    cv2.insertChannel(operation(cv2.extractChannel(hsv, channel)), hsv, channel)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
