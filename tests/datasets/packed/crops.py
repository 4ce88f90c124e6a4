"""Crops of a dataset with and without its packed copy, which must be equal."""

import numpy as np
from mmseg.registry import DATASETS

CROP = {"type": "LoadRandomResizeCropFlip", "scale": (64, 32), "crop_size": (24, 24)}


def build(root, pack=None, split="train", **options):
    prefix = {"img_path": f"leftImg8bit/{split}", "seg_map_path": f"gtFine/{split}"}
    config = {"type": "CheckedCityscapesDataset", "data_root": str(root), "data_prefix": prefix}
    pack = None if pack is None else str(pack)
    return DATASETS.build({**config, "pack": pack, "pipeline": [CROP], **options})


def assert_same_crops(files, packed):
    assert len(files) == len(packed)
    for index in range(len(files)):
        crops = []
        for data in (files, packed):
            np.random.seed(index)
            crops.append(data[index])
        np.testing.assert_array_equal(crops[0]["img"], crops[1]["img"])
        np.testing.assert_array_equal(crops[0]["gt_seg_map"], crops[1]["gt_seg_map"])
