"""Networks in onnxruntime: the arithmetic of the contract, and agreement with torch."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from glore_seg.apis.export import export_model
from glore_seg.apis.inference import Failure, Segmenter
from glore_seg.errors import ConfigError, DataError

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exported(cfg, checkpoint, tmp_path_factory, export_support):
    path = tmp_path_factory.mktemp("exported") / "glore.onnx"
    export_model(cfg, checkpoint, path, resized=False)
    return path


@pytest.mark.slow
def test_agrees_with_torch(exported, segmenter, image):
    onnx = Segmenter(exported)
    assert (onnx.classes, onnx.model) == (segmenter.classes, None)
    assert [tuple(color) for color in onnx.palette] == [tuple(c) for c in segmenter.palette]
    images = [image, image[:33, :47], image]
    for batch_size in (1, 2):
        found = onnx.stream(images, scores=True, batch_size=batch_size)
        expected = segmenter.stream(images, scores=True)
        for one, other in zip(found, expected, strict=True):
            assert np.mean(one.labels == other.labels) > 0.999
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def normalized(image):
    """(image - mean) / std in the channel order of the file, channels first."""
    return ((image - np.array([10.0, 20.0, 30.0])) / [2.0, 4.0, 8.0]).transpose(2, 0, 1)


@pytest.fixture
def dark():
    return np.random.default_rng(1).integers(0, 60, (16, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_what_goes_in(write_onnx, dark, order):
    found = Segmenter(write_onnx(channel_order=order))(dark, scores=True)
    logits = normalized(dark if order == "rgb" else dark[..., ::-1])
    assert np.array_equal(found.labels, logits.argmax(0))
    np.testing.assert_allclose(found.scores, torch.from_numpy(logits).softmax(0).numpy(), atol=1e-5)


@pytest.mark.parametrize("align_corners", [False, True])
def test_padding_and_resizing(write_onnx, dark, align_corners):
    image = dark[:14, :21]
    file = write_onnx(size_divisor=4, resized=False, align_corners=align_corners)
    found = Segmenter(file)(image, scores=True)
    padded = np.zeros((1, 3, 16, 24))
    padded[0, :, :14, :21] = normalized(image)
    small = torch.from_numpy(padded).reshape(1, 3, 4, 4, 6, 4).mean((3, 5))
    logits = interpolate(small, (16, 24), mode="bilinear", align_corners=align_corners)
    logits = logits[0, :, :14, :21]
    np.testing.assert_allclose(found.scores, logits.softmax(0).numpy(), atol=1e-5)


def test_labels_from_within(write_onnx, dark):
    segmenter = Segmenter(write_onnx(output="labels", palette=()))
    found = segmenter(dark)
    assert np.array_equal(found.labels, normalized(dark).argmax(0))
    assert found.labels.dtype == np.uint8
    assert found.overlay(1).shape == dark.shape  # with colors, though the file has none
    with pytest.raises(ConfigError, match="ONNX"):
        segmenter(dark, scores=True)


def test_names_a_size_that_the_file_does_not_take(write_onnx, image):
    (found,) = Segmenter(write_onnx(size=(16, 24))).stream(image[:15])
    assert isinstance(found, Failure)
    assert "image 0 (15 x 56 pixels)" in str(found.error)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"tta": True}, "tta"),
        ({"mode": "slide", "precision": "bf16"}, "mode, precision"),
        ({"checkpoint": "x.pth"}, "checkpoint"),
        ({"device": "cuda"}, "'cuda'"),
    ],
)
def test_rejects_options_of_other_sources(write_onnx, options, value):
    with pytest.raises(ConfigError, match=value):
        Segmenter(write_onnx(), **options)


def test_rejects_other_files(write_onnx, tmp_path):
    with pytest.raises(DataError, match="'glore_seg'"):
        Segmenter(write_onnx(described=False))
    with pytest.raises(DataError, match="classification"):
        Segmenter(write_onnx(task="classification"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(DataError, match=r"text\.onnx"):
        Segmenter(tmp_path / "text.onnx")
