"""The contract of an exported file, and what preprocessors say about inputs."""

import json
from dataclasses import replace

import pytest
from mmengine.model import ImgDataPreprocessor
from mmseg.models import SegDataPreProcessor

from glore_seg.errors import ConfigError
from glore_seg.export.contract import Contract, describe_input

FILES = [{"type": "LoadImageFromFile"}]
NUMBERS = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}


@pytest.mark.parametrize(
    ("library", "settings", "pipeline", "order", "divisor"),
    [
        ("mmseg", {"bgr_to_rgb": True}, FILES, "rgb", 1),
        ("mmseg", {"test_cfg": {"size_divisor": 32}}, FILES, "bgr", 32),
        # Padding in training does not matter.
        ("mmseg", {"size_divisor": 32, "bgr_to_rgb": True}, FILES, "rgb", 1),
        ("mmengine", {"bgr_to_rgb": True}, FILES, "rgb", 1),
        ("mmpretrain", {"to_rgb": True}, FILES, "rgb", 1),
        ("mmpretrain", {"to_rgb": False, "pad_size_divisor": 8}, FILES, "bgr", 8),
        # CIFAR's dataset gives RGB, of no file.
        ("mmpretrain", {"to_rgb": False}, [{"type": "PackInputs"}], "rgb", 1),
    ],
)
def test_input_of_every_library(library, settings, pipeline, order, divisor):
    kind = {"mmseg": SegDataPreProcessor, "mmengine": ImgDataPreprocessor}.get(library)
    if kind is None:
        models = pytest.importorskip("mmpretrain.models", reason="pip install 'glore_seg[cls]'")
        kind = models.ClsDataPreprocessor
    found = describe_input(kind(**settings, **NUMBERS), pipeline)
    assert (found["channel_order"], found["size_divisor"]) == (order, divisor)
    assert (found["mean"], found["std"]) == (tuple(NUMBERS["mean"]), tuple(NUMBERS["std"]))


def test_no_normalization():
    found = describe_input(SegDataPreProcessor(), FILES)
    assert (found["mean"], found["std"]) == ((0.0,) * 3, (1.0,) * 3)


CONTRACT = Contract(
    *("segmentation", ("a",), ((1, 2, 3),), (0.5,) * 3, (1.0,) * 3, "bgr", 4, "labels"),
    resized=True,
    align_corners=False,
)


@pytest.mark.parametrize(
    ("channels", "color_type", "mean", "order"),
    [
        (1, "grayscale", [7.0], "gray"),
        (1, "unchanged", [7.0], "loaded"),
        (4, "unchanged", [7.0], "loaded"),
        (4, "unchanged", [1.0, 2.0, 3.0, 4.0], "loaded"),
    ],
)
def test_other_channels_than_rgb(channels, color_type, mean, order):
    pipeline = [{"type": "LoadImageFromFile", "color_type": color_type}]
    preprocessor = SegDataPreProcessor(mean, [2.0] * len(mean))
    found = describe_input(preprocessor, pipeline, channels=channels)
    expected = tuple(mean) * channels if len(mean) == 1 else tuple(mean)
    assert (found["channel_order"], found["mean"]) == (order, expected)
    written = replace(CONTRACT, **found)
    assert Contract.from_json(written.to_json(), source="a.onnx") == written


def test_json_round_trip():
    assert Contract.from_json(CONTRACT.to_json(), source="a.onnx") == CONTRACT


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
        ("channel_order", "gbr"),
        ("size_divisor", 0),
        ("size_divisor", 10**9),
        ("output", "labels "),
        ("resized", 1),
        ("align_corners", None),
        ("reduce_zero_label", 1),
    ],
)
def test_rejects_invalid_values(field, value):
    text = json.dumps({**json.loads(CONTRACT.to_json()), field: value})
    with pytest.raises(ConfigError, match=rf"'glore_seg' of a\.onnx .*{field}"):
        Contract.from_json(text, source="a.onnx")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "task": "x"}'])
def test_rejects_other_texts(text):
    with pytest.raises(ConfigError, match=r"'glore_seg' of b\.onnx"):
        Contract.from_json(text, source="b.onnx")
