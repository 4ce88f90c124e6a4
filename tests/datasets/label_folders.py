"""Small folders of images and label maps, and mmseg's dataset on them."""

import numpy as np
from mmseg.datasets import BaseSegDataset
from PIL import Image

IMAGE = {"type": "LoadImageFromFile"}
LABEL = {"type": "mmseg.LoadAnnotations"}
PACK = {"type": "mmseg.PackSegInputs"}


def write(root, labels, suffixes=(".jpg",), shape=(8, 8)):
    """Label maps, arrays or the values that each holds in equal shares, and images of suffixes."""
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for index, label in enumerate(labels):
        if not isinstance(label, np.ndarray):
            label = np.resize(np.array(label, np.uint8), shape)
        Image.fromarray(label).save(root / f"labels/{index:03}.png")
        image = Image.new("RGB", label.shape[1::-1])
        suffix = suffixes[index % len(suffixes)]
        image.save(root / f"images/{index:03}{suffix}", format=None if suffix.islower() else "JPEG")
    return root


def build(root, classes="abc", pipeline=(IMAGE, LABEL, PACK), **options):
    options = {"data_prefix": {"img_path": "images", "seg_map_path": "labels"}, **options}
    return BaseSegDataset(
        data_root=str(root),
        metainfo={"classes": tuple(classes)},
        pipeline=list(pipeline),
        **options,
    )
