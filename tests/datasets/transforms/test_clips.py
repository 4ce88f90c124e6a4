"""Colors and sizes of clips: the shifts written out, noise in its range, distributions."""

import cv2
import numpy as np
import pytest

from glore_seg.datasets import ClipHLSJitter, ClipNoise, ClipRandomScale


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (24, 31, 3), np.uint8) for _ in range(3)]


@pytest.mark.parametrize("seed", range(6))
def test_hls_shifts_written_out(frames, seed):
    np.random.seed(seed)
    found = ClipHLSJitter(hue=15, lightness=35, saturation=25)({"imgs": frames})["imgs"]
    np.random.seed(seed)
    shifts = [int(np.random.uniform(-most, most)) for most in (15, 35, 25)]
    for before, after in zip(frames, found, strict=True):
        hls = cv2.cvtColor(before, cv2.COLOR_RGB2HLS).astype(int) + shifts
        hls = np.clip(hls, 0, [180, 255, 255]).astype(np.uint8)
        np.testing.assert_array_equal(after, cv2.cvtColor(hls, cv2.COLOR_HLS2RGB))
        assert after.dtype == np.uint8


def test_noise_lies_in_the_clips_range(frames):
    np.random.seed(3)
    found = ClipNoise(amplitude=20)({"imgs": frames})["imgs"]
    np.random.seed(3)
    low, high = np.random.uniform(-20, 0), np.random.uniform(0, 20)
    noise = np.stack(found) - np.stack(frames)
    assert found[0].dtype == np.float32
    assert low - 1e-3 <= noise.min() < low + 0.5
    assert high - 0.5 < noise.max() <= high + 1e-3
    assert abs(noise.mean() - (low + high) / 2) < 0.3
    assert not np.array_equal(noise[0], noise[1])
    np.random.seed(3)
    np.testing.assert_array_equal(ClipNoise(amplitude=20)({"imgs": frames})["imgs"][0], found[0])


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
