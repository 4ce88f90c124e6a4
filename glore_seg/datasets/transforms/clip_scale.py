"""Random size and aspect of a clip, as the released video networks were trained (Section 4.4)."""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS


# in the root registry, where mmaction2, which is optional, looks too
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
