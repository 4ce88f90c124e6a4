"""Test-time augmentation whose images are made when their turn comes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import mmcv.transforms
from mmcv.transforms import Compose
from mmseg.registry import TRANSFORMS


@dataclass(frozen=True)
class AugmentedPass:
    """One augmentation of one image, yet to be made.

    Attributes:
        results: What the pipeline had loaded; shared by all passes of an image.
        transforms: What makes the pass of it.
    """

    results: dict[str, Any]
    transforms: Compose

    def __call__(self) -> dict[str, Any]:
        """Make it: ``inputs`` and ``data_samples`` of one image."""
        return self.transforms(copy.deepcopy(self.results))


@TRANSFORMS.register_module()
class LazyTestTimeAug(mmcv.transforms.TestTimeAug):
    """mmcv's ``TestTimeAug`` that hands on recipes in place of images.

    For ``AccumulatingSegTTAModel``, which makes each pass when its turn comes. Seven scales and
    flips of a 1024 x 2048 image are 160 MB, their labels, of which only the first is used, 235 MB
    more, and every worker has some batches ready. Here the image is there once, and the label is
    loaded for the first pass alone.

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
        """Return ``passes``: one :class:`AugmentedPass` a combination, in their order."""
        return {"passes": [AugmentedPass(results, subroutine) for subroutine in self.subroutines]}
