import numpy as np
import pytest
import torch
from mmseg.datasets.transforms import PackSegInputs

from glore_seg.datasets import FastPackSegInputs

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (13, 17, 3), np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        IMAGE[:, ::-1],
        IMAGE[2:9, 3:11],
        IMAGE.astype(np.float32),
        IMAGE[..., 0],
        RNG.integers(0, 256, (5, 6, 4), np.uint8),
    ],
    ids=["bytes", "mirrored", "a view", "floats", "gray", "four channels"],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_equals_mmseg(image, labelled):
    results = {"img": image, "img_path": "x.png", "ori_shape": (13, 17), "flip": True}
    if labelled:
        results["gt_seg_map"] = RNG.integers(0, 19, image.shape[:2], np.uint8)
    expected, found = PackSegInputs()(dict(results)), FastPackSegInputs()(dict(results))
    assert list(found) == list(expected)
    assert found["inputs"].dtype == expected["inputs"].dtype
    assert found["inputs"].is_contiguous()
    torch.testing.assert_close(found["inputs"], expected["inputs"], rtol=0, atol=0)
    assert found["data_samples"].metainfo == expected["data_samples"].metainfo
    assert ("gt_sem_seg" in found["data_samples"]) is labelled
    if labelled:
        label = found["data_samples"].gt_sem_seg.data
        assert label.dtype == torch.int64
        assert torch.equal(label, expected["data_samples"].gt_sem_seg.data)


def test_a_copy_of_the_image():
    image = IMAGE.copy()
    found = FastPackSegInputs()({"img": image})["inputs"]
    image[:] = 0
    np.testing.assert_array_equal(found.numpy(), IMAGE.transpose(2, 0, 1))


def test_without_image():
    assert list(FastPackSegInputs()({"gt_seg_map": np.zeros((2, 2), np.uint8)})) == ["data_samples"]
