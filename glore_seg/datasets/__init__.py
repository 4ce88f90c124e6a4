"""Datasets in the layout of Cityscapes, and videos: converted, checked and loaded.

Importing this registers ``CheckedCityscapesDataset``, ``LoadCheckedAnnotations``,
``LazyTestTimeAug``, and the transforms of :mod:`glore_seg.datasets.transforms` and
:mod:`glore_seg.datasets.video`.
"""

from glore_seg.datasets.camvid import CAMVID_CLASSES, convert_camvid
from glore_seg.datasets.checked_cityscapes import CheckedCityscapesDataset
from glore_seg.datasets.cityscapes import (
    CITYSCAPES_COUNTS,
    CityscapesReport,
    check_cityscapes,
    make_train_ids,
)
from glore_seg.datasets.kinetics import convert_kinetics
from glore_seg.datasets.packed import pack_dataset, verify_pack
from glore_seg.datasets.transforms import (
    ClipHLSJitter,
    ClipNoise,
    ClipRandomScale,
    FastPackSegInputs,
    FastPhotoMetricDistortion,
    LazyTestTimeAug,
    LoadCheckedAnnotations,
    LoadRandomResizeCropFlip,
)
from glore_seg.datasets.video import read_frames, scan_video

__all__ = [
    "CAMVID_CLASSES",
    "CITYSCAPES_COUNTS",
    "CheckedCityscapesDataset",
    "CityscapesReport",
    "ClipHLSJitter",
    "ClipNoise",
    "ClipRandomScale",
    "FastPackSegInputs",
    "FastPhotoMetricDistortion",
    "LazyTestTimeAug",
    "LoadCheckedAnnotations",
    "LoadRandomResizeCropFlip",
    "check_cityscapes",
    "convert_camvid",
    "convert_kinetics",
    "make_train_ids",
    "pack_dataset",
    "read_frames",
    "scan_video",
    "verify_pack",
]
