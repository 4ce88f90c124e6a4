from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from projects.synthetic_data.street_scenes import make_street_scenes


@pytest.fixture(autouse=True)
def mmseg_scope():
    init_default_scope("mmseg")


@pytest.fixture
def few_scenes(tmp_path) -> Path:
    """A few small scenes that a test may change."""
    root = tmp_path / "few"
    return make_street_scenes(
        root, num_train=4, num_val=2, num_test=1, size=(32, 64), progress=False
    )


@pytest.fixture
def camvid(tmp_path) -> Path:
    """A folder in CamVid's form: two images for training, one for validation."""
    return write_camvid(tmp_path / "camvid_src")


def write_camvid(root: Path) -> Path:
    names = {"train": ("0001TP_006690", "0006R0_f00930"), "val": ("0016E5_07959",)}
    rng = np.random.default_rng(0)
    for split, stems in names.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for stem in stems:
            image = rng.integers(0, 256, (12, 16, 3), np.uint8)
            label = (np.arange(12 * 16) % 12).reshape(12, 16).astype(np.uint8)
            assert cv2.imwrite(str(root / "images" / split / f"{stem}.jpg"), image)
            assert cv2.imwrite(str(root / "labels" / split / f"{stem}.png"), label)
    return root
