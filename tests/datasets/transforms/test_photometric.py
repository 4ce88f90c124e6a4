import cv2
import numpy as np
import pytest
from mmseg.datasets.transforms import PhotoMetricDistortion

from glore_seg.datasets import FastPhotoMetricDistortion
from glore_seg.errors import DataError


@pytest.fixture(scope="module")
def image():
    """Saturated and gray colors, in a size that is not a multiple of a vector."""
    rng = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (61, 67, 3), np.uint8), (7, 7), 2)
    noise = rng.integers(0, 256, (61, 67, 3), np.uint8)
    gray = np.repeat(np.arange(61 * 67, dtype=np.uint8).reshape(61, 67, 1), 3, axis=2)
    return np.concatenate([smooth, noise, gray])


def distort(transform, image, seed):
    np.random.seed(seed)
    return transform({"img": image})["img"], np.random.random_sample()


def test_equals_mmseg_to_the_byte_for_the_same_numbers(image):
    before = image.copy()
    for seed in range(300):
        expected, after = distort(PhotoMetricDistortion(), image, seed)
        found, state = distort(FastPhotoMetricDistortion(), image, seed)
        np.testing.assert_array_equal(found, expected)
        assert state == after
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("seed", range(8))
def test_other_ranges(image, seed):
    options = {
        "brightness_delta": 200,
        "contrast_range": (0.0, 6.0),
        "saturation_range": (0.0, 4.0),
        "hue_delta": 90,
    }
    expected, _ = distort(PhotoMetricDistortion(**options), image, seed)
    found, _ = distort(FastPhotoMetricDistortion(**options), image, seed)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)],
)
def test_rejects_other_types_and_shapes(wrong):
    with pytest.raises(DataError, match=r"x\.png has .*expected uint8 of shape \(H, W, 3\)"):
        FastPhotoMetricDistortion()({"img": wrong, "img_path": "x.png"})
