"""Colors of clips: the shifts written out, one draw for all frames, noise in its range."""

import cv2
import numpy as np
import pytest

from glore_seg.datasets import ClipHLSJitter, ClipNoise


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


def test_no_shift_is_a_trip_to_hls_and_back(frames):
    found = ClipHLSJitter(hue=0, lightness=0, saturation=0)({"imgs": frames})["imgs"]
    for before, after in zip(frames, found, strict=True):
        hls = cv2.cvtColor(before, cv2.COLOR_RGB2HLS)
        np.testing.assert_array_equal(after, cv2.cvtColor(hls, cv2.COLOR_HLS2RGB))


def test_lightness_moves_up_and_down():
    np.random.seed(0)
    gray = [np.full((2, 2, 3), 128, np.uint8)]
    transform = ClipHLSJitter(hue=0, lightness=35, saturation=0)
    levels = np.array([transform({"imgs": gray})["imgs"][0][0, 0, 0] for _ in range(300)], int)
    assert 128 - 35 <= levels.min() < 128 - 30
    assert 128 + 30 < levels.max() <= 128 + 35
    assert abs(levels.mean() - 128) < 4


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
