import pickle

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmseg.registry import TRANSFORMS

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


def test_passes_are_all_combinations_in_order(passes):
    outputs = [make() for make in passes]
    shapes = [tuple(one["inputs"].shape) for one in outputs]
    assert shapes == [(3, 256, 512)] * 2 + [(3, 64, 128)] * 2
    assert [one["data_samples"].flip for one in outputs] == [False, True, False, True]
    assert outputs[1]["inputs"].equal(outputs[0]["inputs"].flip(2))


def test_only_the_first_pass_loads_the_label(passes):
    labelled = ["gt_sem_seg" in make()["data_samples"] for make in passes]
    assert labelled == [True, False, False, False]
    assert passes[0]()["data_samples"].gt_sem_seg.data.shape == (1, 128, 256)


def test_repeats_exactly_and_pickles_the_image_once(passes):
    assert passes[1]()["inputs"].equal(passes[1]()["inputs"])
    # a worker process sends the batch pickled
    sent = pickle.dumps(passes)
    assert len(sent) < 1.2 * passes[0].args[0]["img"].nbytes
    assert pickle.loads(sent)[3]()["inputs"].equal(passes[3]()["inputs"])
