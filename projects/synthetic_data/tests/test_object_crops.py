"""Crops of objects: what is cut, from which images, and what a second call does."""

import cv2
import numpy as np
import pytest

from glore_seg.errors import GloReSegError
from glore_seg.utils.image_io import write_png
from projects.synthetic_data.object_crops import make_object_crops
from projects.synthetic_data.tests.test_output_folder import contents

CAR, SIGN = 26, 20  # Cityscapes' label ids


@pytest.fixture
def src(tmp_path):
    """Two images a split: two touching cars (instances), a sign and a speck of a sign."""
    root = tmp_path / "src"
    rng = np.random.default_rng(0)
    for split, city in (("train", "aachen"), ("val", "lindau")):
        for number in range(2):
            image = rng.integers(0, 256, (60, 120, 3), dtype=np.uint8)
            labels = np.zeros((60, 120), np.uint8)
            instances = np.zeros((60, 120), np.uint16)
            for i, (x, width) in enumerate(((10, 8), (18, 12))):
                labels[30:36, x : x + width] = CAR
                instances[30:36, x : x + width] = CAR * 1000 + i
            labels[0:20, 110:120] = instances[0:20, 110:120] = SIGN
            labels[50:52, 60:62] = instances[50:52, 60:62] = SIGN
            name = f"{city}_{number:06d}_000019"
            write_png(root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png", image)
            stem = root / "gtFine" / split / city / f"{name}_gtFine"
            write_png(f"{stem}_labelIds.png", labels)
            write_png(f"{stem}_instanceIds.png", instances)
    return root


def make(src, out, **changes):
    options = {"classes": ("car", "traffic sign"), "size": 16, "context": 2, "min_side": 5}
    return make_object_crops(src, out, progress=False, **{**options, **changes})


def test_objects_are_instances_or_regions_and_windows_stay_in_the_image(src, tmp_path):
    out = tmp_path / "out"
    counts = make(src, out)
    assert counts == {split: {"car": 4, "traffic sign": 2} for split in ("train", "val")}
    assert make(src, out) == counts
    for split, city in (("train", "aachen"), ("val", "lindau")):  # no image serves both
        assert {p.name for p in (out / split / "car").iterdir()} == {
            f"{city}_{n:06d}_000019_{k:03d}.png" for n in range(2) for k in range(2)
        }
    image = cv2.imread(str(src / "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"))
    # The first car: 8 wide at x 10 to 18, y 30 to 36, so 16 a side around (14, 33).
    first = cv2.imread(str(out / "train/car/aachen_000000_000019_000.png"))
    assert np.array_equal(first, image[25:41, 6:22])
    # The sign is in the corner: 40 a side, moved inwards, scaled to 16.
    sign = cv2.imread(str(out / "train/traffic sign/aachen_000000_000019_002.png"))
    expected = cv2.resize(image[0:40, 80:120], (16, 16), interpolation=cv2.INTER_AREA)
    assert np.array_equal(sign, expected)


def test_without_instances_what_touches_is_one_object(src, tmp_path):
    for path in src.rglob("*_instanceIds.png"):
        path.unlink()
    assert make(src, tmp_path / "out")["train"] == {"car": 2, "traffic sign": 2}


def test_a_limit_takes_by_the_seed(src, tmp_path):
    counts = make(src, tmp_path / "a", num_train=1, num_val=3)
    assert counts["train"] == {"car": 1, "traffic sign": 1}
    assert counts["val"] == {"car": 3, "traffic sign": 2}
    make(src, tmp_path / "b", num_train=1, num_val=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    chosen = set()
    for seed in range(6):
        make(src, tmp_path / "a", num_train=1, seed=seed, overwrite=True)
        chosen |= {p.name for p in (tmp_path / "a/train/car").iterdir()}
    assert len(chosen) > 1


def test_what_is_missing_is_named(src, tmp_path):
    with pytest.raises(GloReSegError, match=r"leftImg8bit/train holds no CITY/"):
        make(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ValueError, match="no 'person' of 5 or more pixels in train"):
        make(src, tmp_path / "out", classes=("car", "person"))
    next(src.rglob("val/*/*_labelIds.png")).unlink()
    with pytest.raises(GloReSegError, match=r"lindau_\d+_000019_gtFine_labelIds.png is missin"):
        make(src, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("car", "tram")}, r"classes are \['car', 'tram'\]; expected two or more"),
        ({"classes": ("car", "car")}, "each once"),
        ({"classes": ("car",)}, "expected two or more"),
        ({"context": float("nan")}, "context is nan; expected 1 to 10"),
        ({"min_side": 0}, "min_side is 0; expected 1 or more"),
    ],
)
def test_bad_settings(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        make_object_crops(tmp_path, tmp_path / "out", **changes)
