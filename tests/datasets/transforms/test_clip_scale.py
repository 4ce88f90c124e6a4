"""Sizes of scaled clips: their distribution, their frames alike, what is refused."""

import cv2
import numpy as np

from glore_seg.datasets import ClipRandomScale


def scaled(transform, height=90, width=160, count=1):
    frame = np.zeros((height, width, 3), np.uint8)
    return transform({"imgs": [frame] * count, "img_shape": (height, width)})


def test_a_fixed_scale_is_opencvs_resize():
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (30, 40, 3), np.uint8) for _ in range(3)]
    found = ClipRandomScale(short_side=(60, 60), factor_range=(1, 1))({"imgs": frames})
    assert found["img_shape"] == (61, 81)  # rounded up by less than or just one
    for before, after in zip(frames, found["imgs"], strict=True):
        np.testing.assert_array_equal(after, cv2.resize(before, (81, 61)))
    np.testing.assert_allclose(found["scale_factor"], [81 / 40, 61 / 30])


def test_ranges_of_sizes_and_aspects():
    np.random.seed(0)
    transform = ClipRandomScale(short_side=(224, 340), factor_range=(0.8, 1.25))
    sizes = np.array([scaled(transform)["img_shape"] for _ in range(400)])
    assert sizes.min() >= 224
    short = sizes.min(axis=1)
    assert short.max() <= 341
    assert abs(short.mean() - (224 + 340) / 2) < 6  # uniform: 33 / sqrt(400) = 1.7
    # width x factor, height / factor: the aspect changes by its square
    factors = np.sqrt(sizes[:, 1] / sizes[:, 0] / (160 / 90))
    assert factors.min() > 0.79
    assert factors.max() < 1.26
    assert abs(np.mean(factors > 1) - 0.5) < 0.1
    # the mean of two draws seldom lies at the end of the range, one draw would
    assert np.mean((factors > 1.2) | (factors < 1 / 1.2)) < 0.08  # 0.036, and 0.19


def test_all_frames_of_a_clip_alike():
    found = scaled(ClipRandomScale(), count=4)
    assert {frame.shape[:2] for frame in found["imgs"]} == {found["img_shape"]}
