"""Transforms of the training pipelines; importing this registers them.

For segmentation, faster than mmsegmentation's and with the same random numbers in the same order,
so that one seed gives the same crops:

- ``LoadRandomResizeCropFlip`` replaces ``LoadImageFromFile``, ``LoadAnnotations``,
  ``RandomResize``, ``RandomCrop`` and ``RandomFlip``.
- ``FastPhotoMetricDistortion`` replaces ``PhotoMetricDistortion``.
- ``FastPackSegInputs`` replaces ``PackSegInputs``.

``LoadCheckedAnnotations`` replaces ``LoadAnnotations`` where images are loaded in full, and
``LazyTestTimeAug`` mmcv's ``TestTimeAug``. For video clips, what mmaction2 lacks of the released
training: ``ClipRandomScale``, ``ClipHLSJitter`` and ``ClipNoise``.
"""

from glore_seg.datasets.transforms.clips import ClipHLSJitter, ClipNoise, ClipRandomScale
from glore_seg.datasets.transforms.load_random_crop import LoadRandomResizeCropFlip
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations
from glore_seg.datasets.transforms.pack_inputs import FastPackSegInputs
from glore_seg.datasets.transforms.photometric import FastPhotoMetricDistortion
from glore_seg.datasets.transforms.resampling import (
    Crop,
    crop_of_resized_image,
    crop_of_resized_label,
)
from glore_seg.datasets.transforms.test_time_aug import LazyTestTimeAug

__all__ = [
    "ClipHLSJitter",
    "ClipNoise",
    "ClipRandomScale",
    "Crop",
    "FastPackSegInputs",
    "FastPhotoMetricDistortion",
    "LazyTestTimeAug",
    "LoadCheckedAnnotations",
    "LoadRandomResizeCropFlip",
    "crop_of_resized_image",
    "crop_of_resized_label",
]
