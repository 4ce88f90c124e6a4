"""The training pipelines' transforms; importing this registers them.

For segmentation, made for speed:

- ``LoadRandomResizeCropFlip`` stands for mmsegmentation's ``LoadImageFromFile``,
  ``LoadAnnotations``, ``RandomResize``, ``RandomCrop`` and ``RandomFlip``.
- ``FastPhotoMetricDistortion`` stands for ``PhotoMetricDistortion``.
- ``FastPackSegInputs`` stands for ``PackSegInputs``.

All draw their random numbers in the order of those that they stand for, so that one seed gives both
pipelines the same crops.

For clips, what mmaction2 lacks of the released training: ``ClipRandomScale``, ``ClipHLSJitter`` and
``ClipNoise``.
"""

from glore_seg.datasets.transforms.clip_colors import ClipHLSJitter, ClipNoise
from glore_seg.datasets.transforms.clip_scale import ClipRandomScale
from glore_seg.datasets.transforms.load_random_crop import LoadRandomResizeCropFlip
from glore_seg.datasets.transforms.pack_inputs import FastPackSegInputs
from glore_seg.datasets.transforms.photometric import FastPhotoMetricDistortion
from glore_seg.datasets.transforms.resampling import (
    Crop,
    crop_of_resized_image,
    crop_of_resized_label,
)

__all__ = [
    "ClipHLSJitter",
    "ClipNoise",
    "ClipRandomScale",
    "Crop",
    "FastPackSegInputs",
    "FastPhotoMetricDistortion",
    "LoadRandomResizeCropFlip",
    "crop_of_resized_label",
    "crop_of_resized_image",
]
