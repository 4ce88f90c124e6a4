"""Random sizes and colors of clips, as the released video networks were trained (Section 4.4).

They are in the root registry, where mmaction2, which is optional, looks too.
"""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

_LEVELS = np.arange(256)
_LIMITS = (180, 255, 255)  # of OpenCV's hue, lightness and saturation


@TRANSFORMS.register_module()
class ClipRandomScale(BaseTransform):
    """Resize all frames of a clip to one random short side and aspect.

    The width is multiplied and the height divided by a factor: the mean of two uniform draws from
    ``factor_range``, inverted with probability 1/2. The short side is then drawn uniformly. Works
    on ``imgs``; sets ``img_shape`` and ``scale_factor`` (width, height).

    Args:
        short_side: Smallest and largest short side in pixels, above 0.
        factor_range: Smallest and largest factor, above 0; ``(1, 1)`` keeps the aspect.
    """

    def __init__(
        self,
        short_side: tuple[int, int] = (224, 340),
        factor_range: tuple[float, float] = (0.8, 1.25),
    ) -> None:
        self.short_side = tuple(short_side)
        self.factor_range = tuple(factor_range)

    def transform(self, results: dict) -> dict:
        """Resize ``results["imgs"]``, a list of (H, W, 3)."""
        frames = results["imgs"]
        height, width = frames[0].shape[:2]
        smallest, largest = self.factor_range
        factor = np.random.uniform(smallest, largest, size=2).mean()
        if np.random.random_sample() < 0.5:
            factor = 1 / factor
        new_width, new_height = width * factor, height / factor
        scale = np.random.uniform(*self.short_side) / min(new_width, new_height)
        # rounded up, so that a crop of the smallest short side fits
        size = (int(new_width * scale + 1), int(new_height * scale + 1))
        results["imgs"] = [
            cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR) for frame in frames
        ]
        results["img_shape"] = (size[1], size[0])
        before = results.get("scale_factor", np.ones(2, np.float32))
        results["scale_factor"] = before * np.array(
            [size[0] / width, size[1] / height], dtype=np.float32
        )
        return results


@TRANSFORMS.register_module()
class ClipHLSJitter(BaseTransform):
    """Shift hue, lightness and saturation equally in all frames of a clip.

    Each shift is drawn uniformly and truncated to an integer; results are clipped to the range of
    the channel. Works on ``imgs``, RGB, uint8.

    Args:
        hue: Largest shift, in OpenCV's steps of 2 degrees, at least 0.
        lightness: Largest shift, of 255, at least 0.
        saturation: Largest shift, of 255, at least 0.
    """

    def __init__(self, hue: int = 15, lightness: int = 35, saturation: int = 25) -> None:
        self.shifts = (hue, lightness, saturation)

    def transform(self, results: dict) -> dict:
        """Shift the colors of ``results["imgs"]``, a list of (H, W, 3)."""
        shifts = [int(np.random.uniform(-most, most)) for most in self.shifts]
        columns = [
            np.clip(_LEVELS + shift, 0, limit) for shift, limit in zip(shifts, _LIMITS, strict=True)
        ]
        table = np.stack(columns, axis=1).astype(np.uint8)[None]  # (1, 256, 3)
        results["imgs"] = [_apply_in_hls(frame, table) for frame in results["imgs"]]
        return results


@TRANSFORMS.register_module()
class ClipNoise(BaseTransform):
    """Add uniform noise, of a range that is drawn for each clip.

    The lower end is uniform in ``-amplitude`` to 0, the upper end in 0 to ``amplitude``. Works on
    ``imgs``, which become float32 and may leave 0 to 255.

    Args:
        amplitude: Of 255, at least 0.
    """

    def __init__(self, amplitude: float = 20) -> None:
        self.amplitude = amplitude

    def transform(self, results: dict) -> dict:
        """Add to ``results["imgs"]``, a list of (H, W, 3)."""
        low = np.random.uniform(-self.amplitude, 0)
        high = np.random.uniform(0, self.amplitude)
        # seeded from NumPy's global state, which the workers seed
        noise = np.random.default_rng(np.random.randint(2**31))
        results["imgs"] = [
            frame + (low + (high - low) * noise.random(frame.shape, np.float32)).astype(np.float32)
            for frame in results["imgs"]
        ]
        return results


def _apply_in_hls(frame: np.ndarray, table: np.ndarray) -> np.ndarray:
    hls = cv2.cvtColor(frame, cv2.COLOR_RGB2HLS)
    return cv2.cvtColor(cv2.LUT(hls, table), cv2.COLOR_HLS2RGB)
