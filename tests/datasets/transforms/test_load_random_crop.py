"""The transform against mmsegmentation's own five, with one seed and over many."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmcv.transforms.utils import cache_random_params

from glore_seg.datasets import LoadRandomResizeCropFlip
from glore_seg.errors import ConfigError, DataError

SCALE = (128, 64)


@pytest.fixture(scope="module")
def items(street_scenes):
    images = sorted(street_scenes.glob("leftImg8bit/train/*/*.png"))
    labels = sorted(street_scenes.glob("gtFine/train/*/*_labelTrainIds.png"))
    return [(str(image), str(label)) for image, label in zip(images, labels, strict=True)]


def item(paths, label_map=None, reduce_zero_label=False):
    return {
        "img_path": paths[0],
        "seg_map_path": paths[1],
        "label_map": label_map,
        "reduce_zero_label": reduce_zero_label,
        "seg_fields": [],
    }


def theirs(
    crop_size=(48, 48), ratio_range=(0.5, 2.0), cat_max_ratio=0.75, keep_ratio=True, prob=0.5
):
    return Compose(
        [
            {"type": "LoadImageFromFile"},
            {"type": "LoadAnnotations"},
            {
                "type": "RandomResize",
                "scale": SCALE,
                "ratio_range": ratio_range,
                "keep_ratio": keep_ratio,
            },
            {"type": "RandomCrop", "crop_size": crop_size, "cat_max_ratio": cat_max_ratio},
            {"type": "RandomFlip", "prob": prob},
        ]
    )


def ours(prob=0.5, **options):
    return LoadRandomResizeCropFlip(
        **{"scale": SCALE, "crop_size": (48, 48), "flip_prob": prob, **options}
    )


SUBSET = {old: (old // 2 if old % 2 else 255) for old in range(19)}


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, {}),
        ({"cat_max_ratio": 0.35}, {}),  # most need several tries, some take the eleventh
        ({"cat_max_ratio": 1.0}, {}),
        ({"cat_max_ratio": 0.5}, {"label_map": SUBSET}),
        ({"crop_size": (80, 96)}, {}),  # larger than half of the images
        ({"keep_ratio": False}, {}),
        ({"ratio_range": (1.0, 1.0), "prob": 1.0}, {}),
        ({"prob": 0.0}, {}),
    ],
)
def test_equals_mmseg_for_the_same_seed(items, options, keys):
    reference, transform = theirs(**options), ours(**options)
    for seed in range(40):
        paths = items[seed % len(items)]
        np.random.seed(seed)
        expected = reference(item(paths, **keys))
        after = np.random.random_sample()
        np.random.seed(seed)
        found = transform(item(paths, **keys))
        assert np.random.random_sample() == after
        np.testing.assert_array_equal(found["gt_seg_map"], expected["gt_seg_map"])
        assert found["img"].shape == expected["img"].shape
        assert np.abs(found["img"].astype(int) - expected["img"]).max() <= 1
        assert expected.pop("swap_seg_labels", None) is None
        assert set(expected) == set(found)
        for key in set(expected) - {"img", "gt_seg_map"}:
            assert found[key] == expected[key], key


def test_reduce_zero_label(street_scenes, tmp_path):
    image = np.zeros((64, 128, 3), np.uint8)
    label = np.tile(np.array([0, 1, 5, 255], np.uint8), (64, 32))
    paths = (str(tmp_path / "x.png"), str(tmp_path / "y.png"))
    assert cv2.imwrite(paths[0], image)
    assert cv2.imwrite(paths[1], label)
    np.random.seed(0)
    expected = theirs()(item(paths, reduce_zero_label=True))
    np.random.seed(0)
    found = ours()(item(paths, reduce_zero_label=True))
    np.testing.assert_array_equal(found["gt_seg_map"], expected["gt_seg_map"])


def test_random_parameters_can_be_cached(items):
    transform = ours()
    with cache_random_params(transform):
        first, second = transform(item(items[0])), transform(item(items[0]))
    np.testing.assert_array_equal(first["img"], second["img"])
    assert first["scale"] == second["scale"]


def test_rejects_what_does_not_fit(items, tmp_path):
    image, label = items[0]
    path = tmp_path / "y_labelTrainIds.png"
    assert cv2.imwrite(str(path), np.full((64, 128), 77, np.uint8))
    with pytest.raises(DataError, match=r"holds \[77\]; expected class indices 0 to 18 and 255"):
        ours()(item((image, str(path))))
    small, broken = tmp_path / "small.png", tmp_path / "broken.png"
    assert cv2.imwrite(str(small), np.zeros((32, 128, 3), np.uint8))
    with pytest.raises(DataError, match=r"is 64 x 128 but its image .*small\.png is 32 x 128"):
        ours()(item((str(small), label)))
    broken.write_bytes(b"no image")
    for backend in ("cv2", "pillow"):
        with pytest.raises(DataError, match=r"broken\.png cannot be read as an image"):
            ours(imdecode_backend=backend)(item((str(broken), label)))
    with pytest.raises(ConfigError, match="has no label"):
        ours()(item((image, None)))
    with pytest.raises(ConfigError, match="num_classes is 0"):
        ours(num_classes=0)


def test_crop_size_by_one_number():
    assert ours(crop_size=32).crop_size == (32, 32)
