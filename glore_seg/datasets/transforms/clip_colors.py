"""Random colors of a clip, as the released video networks were trained (Section 4.4)."""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from glore_seg.errors import DataError

_LEVELS = np.arange(256)
_LIMITS = (180, 255, 255)  # of OpenCV's hue, lightness and saturation


@TRANSFORMS.register_module()
class ClipHLSJitter(BaseTransform):
    """Shift hue, lightness and saturation, all frames of a clip alike.

    Each shift is a uniform draw, cut to a whole number; what leaves a channel's range is set to
    its end. Works on ``imgs``.

    Args:
        hue: Largest shift, in OpenCV's steps of 2 degrees.
        lightness: Largest shift, of 255.
        saturation: Largest shift, of 255.

    Raises:
        DataError: A shift is negative, or the frames are something else than RGB in uint8.
    """

    def __init__(self, hue: int = 15, lightness: int = 35, saturation: int = 25) -> None:
        self.shifts = (hue, lightness, saturation)
        if min(self.shifts) < 0:
            raise DataError(
                f"hue, lightness and saturation are {self.shifts}; expected 0 or more: the largest "
                "shift to either side"
            )

    def transform(self, results: dict) -> dict:
        """Shift the colors of ``results["imgs"]``, a list of (H, W, 3)."""
        frames = results["imgs"]
        if frames[0].dtype != np.uint8 or frames[0].shape[2:] != (3,):
            raise DataError(
                f"frames have {frames[0].dtype} pixels of shape {frames[0].shape}; expected uint8 "
                "of shape (H, W, 3): put ClipHLSJitter before what makes floats"
            )
        shifts = [int(np.random.uniform(-most, most)) for most in self.shifts]
        columns = [
            np.clip(_LEVELS + shift, 0, limit) for shift, limit in zip(shifts, _LIMITS, strict=True)
        ]
        table = np.stack(columns, axis=1).astype(np.uint8)[None]  # (1, 256, 3)
        results["imgs"] = [_through_hls(frame, table) for frame in frames]
        return results

    def __repr__(self) -> str:
        hue, lightness, saturation = self.shifts
        return f"{type(self).__name__}(hue={hue}, lightness={lightness}, saturation={saturation})"


@TRANSFORMS.register_module()
class ClipNoise(BaseTransform):
    """Add uniform noise to every value; its range is drawn anew for each clip.

    The range is from a uniform draw of ``-amplitude`` to 0 up to one of 0 to ``amplitude``. Works
    on ``imgs``, which become float32 and may leave 0 to 255.

    Args:
        amplitude: Of 255.

    Raises:
        DataError: ``amplitude`` is negative.
    """

    def __init__(self, amplitude: float = 20) -> None:
        if amplitude < 0:
            raise DataError(f"amplitude is {amplitude}; expected 0 or more, of 255")
        self.amplitude = amplitude

    def transform(self, results: dict) -> dict:
        """Add to ``results["imgs"]``, a list of (H, W, 3)."""
        low = np.random.uniform(-self.amplitude, 0)
        high = np.random.uniform(0, self.amplitude)
        # The generator's own seed comes from NumPy's global one, which the workers' seeds set.
        noise = np.random.default_rng(np.random.randint(2**31))
        results["imgs"] = [
            frame + (low + (high - low) * noise.random(frame.shape, np.float32)).astype(np.float32)
            for frame in results["imgs"]
        ]
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(amplitude={self.amplitude})"


def _through_hls(frame: np.ndarray, table: np.ndarray) -> np.ndarray:
    hls = cv2.cvtColor(frame, cv2.COLOR_RGB2HLS)
    return cv2.cvtColor(cv2.LUT(hls, table), cv2.COLOR_HLS2RGB)
