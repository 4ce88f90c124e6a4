"""Test-time augmentation that creates each augmented image when it is needed."""

import copy
from functools import partial
from typing import Any

import mmcv.transforms
from mmcv.transforms import Compose
from mmseg.registry import TRANSFORMS


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
        """Return ``passes``: for each combination a function that returns its packed sample."""
        return {"passes": [partial(_augment, results, one) for one in self.subroutines]}


def _augment(results: dict[str, Any], transforms: Compose) -> dict[str, Any]:
    """Compute one pass; ``results``, of the pipeline before it, are shared by all."""
    return transforms(copy.deepcopy(results))
