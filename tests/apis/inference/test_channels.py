"""Networks of one and of four channels, on files of 8 and 16 bits, by all ways to predict."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.apis.export import export_model
from glore_seg.apis.inference import Failure, Segmenter
from glore_seg.engine import build_model
from glore_seg.errors import ConfigError
from tests.fixtures import STREET_SCENES


class Network:
    """Random weights, whose labels vary; saved with its config."""

    def __init__(self, folder, channels, color_type, mean, std):
        self.mean, self.std = mean, std
        preprocessor = "model.data_preprocessor"
        options = {
            "model.backbone.in_channels": channels,
            f"{preprocessor}.mean": [mean] * channels,
            f"{preprocessor}.std": [std] * channels,
            f"{preprocessor}.bgr_to_rgb": False,
            "test_dataloader.dataset.pipeline.0.color_type": color_type,
        }
        self.cfg = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK | options)
        torch.manual_seed(0)
        self.model = build_model(self.cfg).eval()
        torch.nn.init.normal_(self.model.decode_head.conv_seg.weight, std=2.0)
        self.path = folder / "iter_1.pth"
        meta = {"iter": 1, "cfg": self.cfg.pretty_text}
        torch.save({"state_dict": self.model.state_dict(), "meta": meta}, self.path)

    def labels(self, stored):
        """Of the values in a file, (H, W, C) in the order of OpenCV."""
        x = (torch.from_numpy(stored.astype(np.float32)) - self.mean) / self.std
        with torch.no_grad():
            logits = self.model(x.permute(2, 0, 1)[None], mode="tensor")
        found = interpolate(logits, stored.shape[:2], mode="bilinear")[0].argmax(0)
        assert len(found.unique()) > 1
        return found.numpy()


def noise(*shape, dtype=np.uint8):
    most = np.iinfo(dtype).max
    blocks = np.random.default_rng(0).integers(0, most, (5, 7, *shape), dtype=dtype)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture(scope="module")
def gray(tmp_path_factory):
    return Network(tmp_path_factory.mktemp("gray"), 1, "grayscale", 120.0, 60.0)


@pytest.fixture(scope="module")
def infrared(tmp_path_factory):
    return Network(tmp_path_factory.mktemp("infrared"), 4, "unchanged", 30000.0, 15000.0)


def test_gray_files_arrays_and_images(gray, tmp_path):
    stored = noise()
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), stored)
    segmenter, expected = Segmenter(gray.path, device="cpu"), gray.labels(stored[..., None])
    for given in (path, stored, stored[..., None], Image.open(path)):
        found = segmenter(given)
        assert np.array_equal(found.labels, expected)
        assert np.array_equal(found.image, stored[..., None].repeat(3, 2))
    segmenter.predictor.check_arrays()


@pytest.mark.slow
def test_gray_onnx(gray, export_support, tmp_path):
    pytest.importorskip("onnxruntime")
    found = export_model(gray.cfg, gray.path, tmp_path / "gray.onnx")
    assert found.contract.channel_order == "gray"
    labels = Segmenter(tmp_path / "gray.onnx")(noise()).labels
    assert np.mean(labels == gray.labels(noise()[..., None])) > 0.999


def test_sixteen_bits_in_four_channels(infrared, tmp_path):
    stored = noise(4, dtype=np.uint16)
    for name in ("a.tif", "b.tif"):
        cv2.imwrite(str(tmp_path / name), stored)
    (tmp_path / "c.tif").write_bytes(b"II*\0 and no more")
    segmenter, expected = Segmenter(infrared.path, device="cpu"), infrared.labels(stored)
    *found, failure = segmenter.stream(tmp_path, batch_size=2)
    assert isinstance(failure, Failure)
    for one in found:
        assert np.array_equal(one.labels, expected)
        assert (one.image.shape, one.image.dtype) == ((40, 56, 3), np.uint8)
        assert one.image.std() > 50
        assert one.overlay().shape == (40, 56, 3)
    assert len(found) == 2


def test_four_channels_are_not_in_rgb_images(infrared):
    with pytest.raises(ConfigError, match="4 channels"):
        Segmenter(infrared.path, device="cpu")(noise(3))


def test_a_gray_reader_of_a_network_for_color(cfg, checkpoint, segmenter):
    """The preprocessor repeats the one channel, by its three means."""
    options = {"test_dataloader.dataset.pipeline.0.color_type": "grayscale"}
    found = Segmenter(cfg, checkpoint=checkpoint, device="cpu", cfg_options=options)(noise())
    assert np.array_equal(found.labels, segmenter(noise()).labels)
