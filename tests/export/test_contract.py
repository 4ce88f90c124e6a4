"""What networks expect of images, read from their hosts' preprocessors."""

import json

import pytest
from mmengine.model import ImgDataPreprocessor
from mmseg.models import SegDataPreProcessor

from glore_seg.export.contract import Contract, describe_input

FILES = [{"type": "LoadImageFromFile"}]
NUMBERS = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}


@pytest.mark.parametrize(
    ("preprocessor", "pipeline", "order", "divisor"),
    [
        (SegDataPreProcessor(bgr_to_rgb=True, **NUMBERS), FILES, "rgb", 1),
        (SegDataPreProcessor(**NUMBERS, test_cfg={"size_divisor": 32}), FILES, "bgr", 32),
        # What it pads to in training is no matter.
        (SegDataPreProcessor(size_divisor=32, bgr_to_rgb=True, **NUMBERS), FILES, "rgb", 1),
        (ImgDataPreprocessor(bgr_to_rgb=True, **NUMBERS), FILES, "rgb", 1),
    ],
)
def test_input_of_every_host(preprocessor, pipeline, order, divisor):
    found = describe_input(preprocessor, pipeline)
    assert (found["channel_order"], found["size_divisor"]) == (order, divisor)


@pytest.mark.parametrize(
    ("settings", "pipeline", "order", "divisor"),
    [
        ({"to_rgb": True}, FILES, "rgb", 1),
        ({"to_rgb": False, "pad_size_divisor": 8}, FILES, "bgr", 8),
        # CIFAR's dataset gives RGB, of no file.
        ({"to_rgb": False}, [{"type": "PackInputs"}], "rgb", 1),
    ],
)
def test_input_of_a_classifier(settings, pipeline, order, divisor):
    models = pytest.importorskip("mmpretrain.models", reason="pip install 'glore_seg[cls]'")
    found = describe_input(models.ClsDataPreprocessor(**settings, **NUMBERS), pipeline)
    assert (found["channel_order"], found["size_divisor"]) == (order, divisor)
    assert (found["mean"], found["std"]) == (tuple(NUMBERS["mean"]), tuple(NUMBERS["std"]))


def test_no_normalisation_is_one_that_does_nothing():
    found = describe_input(SegDataPreProcessor(), FILES)
    assert (found["mean"], found["std"]) == ((0.0,) * 3, (1.0,) * 3)


def test_json_round_trip():
    contract = Contract(
        "segmentation",
        ("a",),
        ((1, 2, 3),),
        (0.5,) * 3,
        (1.0,) * 3,
        "bgr",
        4,
        "labels",
        True,
        False,
    )
    assert Contract.from_json(contract.to_json(), source="a.onnx") == contract


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", "depth"),
        ("classes", []),
        ("classes", [1, 2]),
        ("palette", [[1, 2]]),
        ("palette", [[1, 2, 256]]),
        ("mean", [1.0, 2.0]),
        ("std", [1.0, 0.0, 1.0]),
        ("std", [1.0, float("nan"), 1.0]),
        ("std", ["1", 1, 1]),
        ("channel_order", "gbr"),
        ("size_divisor", 0),
        ("size_divisor", 10**9),
        ("output", "labels "),
        ("resized", 1),
        ("align_corners", None),
    ],
)
def test_values_that_no_export_gives(field, value):
    contract = Contract(
        *("segmentation", ("a",), ((1, 2, 3),), (0.5,) * 3, (1.0,) * 3, "bgr", 4, "labels"),
        resized=True,
        align_corners=False,
    )
    text = json.dumps({**json.loads(contract.to_json()), field: value})
    with pytest.raises(ValueError, match=r"'glore_seg' of a\.onnx is .*export the network again"):
        Contract.from_json(text, source="a.onnx")
