"""Data sets in the layout of Cityscapes: made, converted, checked, read, and cut for classifiers.

Videos of actions as well. Importing this registers ``StreetDataset``, ``LoadCheckedAnnotations``,
``LazyTestTimeAug`` and the transforms of ``glore_seg.datasets.transforms`` and
``glore_seg.datasets.video``.
"""

from glore_seg.datasets.camvid import CAMVID_CLASSES, convert_camvid
from glore_seg.datasets.checked_annotations import LoadCheckedAnnotations
from glore_seg.datasets.cityscapes import CITYSCAPES_COUNTS, CityscapesReport, check_cityscapes
from glore_seg.datasets.kinetics import convert_kinetics
from glore_seg.datasets.lazy_test_time_aug import LazyTestTimeAug
from glore_seg.datasets.moving_shapes import make_moving_shapes
from glore_seg.datasets.object_crops import CropSettings, make_object_crops
from glore_seg.datasets.packing import pack_dataset, verify_pack
from glore_seg.datasets.street_dataset import StreetDataset
from glore_seg.datasets.street_scenes import make_street_scenes
from glore_seg.datasets.train_ids import make_train_ids
from glore_seg.datasets.transforms import (
    ClipHLSJitter,
    ClipNoise,
    ClipRandomScale,
    FastPackSegInputs,
    FastPhotoMetricDistortion,
    LoadRandomResizeCropFlip,
)
from glore_seg.datasets.video import CheckedVideoDecode, CheckedVideoInit, RepeatOneFrame

__all__ = [
    "CAMVID_CLASSES",
    "CITYSCAPES_COUNTS",
    "CheckedVideoDecode",
    "CheckedVideoInit",
    "CityscapesReport",
    "ClipHLSJitter",
    "ClipNoise",
    "ClipRandomScale",
    "CropSettings",
    "LazyTestTimeAug",
    "FastPackSegInputs",
    "FastPhotoMetricDistortion",
    "LoadCheckedAnnotations",
    "LoadRandomResizeCropFlip",
    "RepeatOneFrame",
    "StreetDataset",
    "check_cityscapes",
    "convert_camvid",
    "convert_kinetics",
    "make_moving_shapes",
    "make_object_crops",
    "make_street_scenes",
    "make_train_ids",
    "pack_dataset",
    "verify_pack",
]
