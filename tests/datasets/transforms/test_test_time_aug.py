import pickle

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmseg.registry import TRANSFORMS

from glore_seg.errors import DataError

TRANSFORMS_OF_A_CONFIG = [
    [{"type": "Resize", "scale_factor": ratio, "keep_ratio": True} for ratio in (2.0, 0.5)],
    [{"type": "RandomFlip", "prob": prob, "direction": "horizontal"} for prob in (0.0, 1.0)],
    [{"type": "LoadCheckedAnnotations"}],
    [{"type": "PackSegInputs"}],
]


@pytest.fixture
def passes(scenes):
    label = next((scenes / "gtFine/val").rglob("*_labelTrainIds.png"))
    results = {
        "img": np.arange(128 * 256 * 3).reshape(128, 256, 3).astype(np.uint8),
        "img_path": "x.png",
        "img_shape": (128, 256),
        "ori_shape": (128, 256),
        "seg_map_path": str(label),
        "label_map": None,
        "reduce_zero_label": False,
        "seg_fields": [],
    }
    with DefaultScope.overwrite_default_scope("mmseg"):
        augment = TRANSFORMS.build(
            {"type": "LazyTestTimeAug", "transforms": TRANSFORMS_OF_A_CONFIG}
        )
        yield augment(results)["passes"]


def test_every_combination_in_the_order_of_the_lists(passes):
    made = [make() for make in passes]
    shapes = [tuple(one["inputs"].shape) for one in made]
    assert shapes == [(3, 256, 512)] * 2 + [(3, 64, 128)] * 2
    assert [one["data_samples"].flip for one in made] == [False, True, False, True]
    assert made[1]["inputs"].equal(made[0]["inputs"].flip(2))


def test_the_first_alone_loads_the_label(passes):
    labelled = ["gt_sem_seg" in make()["data_samples"] for make in passes]
    assert labelled == [True, False, False, False]
    assert passes[0]()["data_samples"].gt_sem_seg.data.shape == (1, 128, 256)


def test_made_twice_is_the_same_and_the_image_is_sent_once(passes):
    assert passes[1]()["inputs"].equal(passes[1]()["inputs"])
    # a worker process sends the batch pickled
    sent = pickle.dumps(passes)
    assert len(sent) < 1.2 * passes[0].results["img"].nbytes
    assert pickle.loads(sent)[3]()["inputs"].equal(passes[3]()["inputs"])


def test_a_damaged_label_is_named(passes, tmp_path):
    passes[0].results["seg_map_path"] = str(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
        passes[0]()
