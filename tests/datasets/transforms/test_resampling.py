import cv2
import numpy as np
import pytest

from glore_seg.datasets.transforms import Crop, crop_of_resized_image, crop_of_resized_label

SIZES = [(64, 128), (63, 101), (40, 300)]
RATIOS = [0.31, 0.5, 0.77, 0.999, 1.0, 1.31, 2.0, 3.7]


def noise(shape, smooth=True):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return cv2.GaussianBlur(image, (5, 5), 1.5) if smooth else image


def crops(size, ratio, count=12):
    """The full resized image, its corners, and random crops."""
    rng = np.random.default_rng(1)
    resized = tuple(int(side * ratio) for side in size)
    yield Crop(resized, 0, 0, resized)
    for _ in range(count):
        height, width = (int(rng.integers(1, side + 1)) for side in resized)
        top = int(rng.integers(0, resized[0] - height + 1))
        left = int(rng.integers(0, resized[1] - width + 1))
        yield Crop(resized, top, left, (height, width))
        yield Crop(resized, resized[0] - height, resized[1] - width, (height, width))


def cut(resized, crop):
    (height, width) = crop.size
    return resized[crop.top : crop.top + height, crop.left : crop.left + width]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("size", SIZES)
def test_image_equals_resize_then_crop(size, ratio, flip):
    image = noise((*size, 3), smooth=False)
    for crop in crops(size, ratio):
        full = cv2.resize(image, crop.resized[::-1], interpolation=cv2.INTER_LINEAR)
        expected = cut(full, crop)[:, ::-1] if flip else cut(full, crop)
        found = crop_of_resized_image(image, crop, flip=flip)
        assert found.shape == (*crop.size, 3)
        assert found.flags.c_contiguous
        difference = np.abs(found.astype(int) - expected)
        assert difference.max() <= 1  # a gray level, where both round otherwise
        assert ratio != 1.0 or difference.max() == 0


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("size", SIZES)
def test_label_equals_resize_then_crop_to_the_pixel(size, ratio):
    label = noise(size, smooth=False)
    for crop in crops(size, ratio):
        full = cv2.resize(label, crop.resized[::-1], interpolation=cv2.INTER_NEAREST)
        np.testing.assert_array_equal(crop_of_resized_label(label, crop), cut(full, crop))


def test_share_of_rounded_pixels_and_no_bias():
    image = noise((256, 512, 3))
    crop = Crop((335, 670), 20, 30, (300, 600))
    expected = cut(cv2.resize(image, (670, 335)), crop).astype(int)
    difference = crop_of_resized_image(image, crop) - expected
    assert np.mean(difference != 0) < 0.2
    assert abs(difference.mean()) < 0.15


def test_reads_a_read_only_map_and_keeps_nothing_of_it(tmp_path):
    image = noise((48, 96, 3))
    (tmp_path / "x.u8").write_bytes(image.tobytes())
    mapped = np.memmap(tmp_path / "x.u8", np.uint8, "r").reshape(image.shape)
    for crop in (Crop((48, 96), 3, 5, (20, 30)), Crop((60, 120), 3, 5, (20, 30))):
        found = crop_of_resized_image(mapped, crop)
        np.testing.assert_array_equal(found, crop_of_resized_image(image, crop))
        assert found.flags.writeable
        assert not np.shares_memory(found, mapped)


def test_two_rows_and_columns_suffice():
    image = noise((2, 2, 3), smooth=False)
    expected = cv2.resize(image, (9, 7))
    found = crop_of_resized_image(image, Crop((7, 9), 0, 0, (7, 9)))
    assert np.abs(found.astype(int) - expected).max() <= 1
