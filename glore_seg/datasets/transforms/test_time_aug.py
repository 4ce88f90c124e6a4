"""Test-time augmentation that creates each augmented image when it is needed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import mmcv.transforms
from mmcv.transforms import Compose
from mmseg.registry import TRANSFORMS


@dataclass(frozen=True)
class AugmentedPass:
    """One augmentation of one image, to be computed when called.

    Attributes:
        results: Output of the pipeline before the augmentation; shared by all passes of an image.
        transforms: The transforms of this pass.
    """

    results: dict[str, Any]
    transforms: Compose

    def __call__(self) -> dict[str, Any]:
        """Return ``inputs`` and ``data_samples`` of one image."""
        return self.transforms(copy.deepcopy(self.results))


@TRANSFORMS.register_module()
class LazyTestTimeAug(mmcv.transforms.TestTimeAug):
    """mmcv's ``TestTimeAug`` that returns augmentations to be computed later.

    ``AccumulatingSegTTAModel`` computes one pass after the other. Seven scales and flips of a
    1024 x 2048 image are 160 MB, and their label maps, of which only the first is used, 235 MB
    more; every worker holds some batches. Here the image is held once, and the label map is loaded
    for the first pass alone.

    Args:
        transforms: As for ``TestTimeAug``: lists of transforms, of which every combination is a
            pass; the last one packs.
    """

    def __init__(self, transforms: list) -> None:
        super().__init__(transforms)
        for subroutine in self.subroutines[1:]:
            subroutine.transforms = [
                transform
                for transform in subroutine.transforms
                if not isinstance(transform, mmcv.transforms.LoadAnnotations)
            ]

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``passes``: an :class:`AugmentedPass` for each combination, in order."""
        return {"passes": [AugmentedPass(results, subroutine) for subroutine in self.subroutines]}
