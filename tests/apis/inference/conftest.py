"""A small network with random weights: config, lone checkpoint, ONNX file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.apis.inference import Segmenter
from glore_seg.engine import build_model
from tests.export.networks import contract, onnx_file
from tests.fixtures import STREET_SCENES


@pytest.fixture(scope="session")
def cfg():
    """A small network for street scenes; its dataset is missing."""
    cfg = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK)
    cfg.test_dataloader.dataset.data_root = "nowhere"
    cfg.tta_pipeline[1]["transforms"][0] = [
        {"type": "Resize", "scale_factor": ratio, "keep_ratio": True} for ratio in (1.0, 0.5)
    ]
    return cfg


@pytest.fixture(scope="session")
def model(cfg):
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    # Logits of mean 0 and deviation 1 on noise, so that labels vary.
    with torch.no_grad():
        logits = model(
            torch.randn(1, 3, 16, 16).repeat_interleave(8, 2).repeat_interleave(8, 3), mode="tensor"
        )
        deviation, mean = torch.std_mean(logits, (0, 2, 3))
        classifier = model.decode_head.conv_seg
        classifier.weight /= deviation[:, None, None, None]
        classifier.bias.copy_((classifier.bias - mean) / deviation)
    return model


@pytest.fixture(scope="session")
def checkpoint(cfg, model, tmp_path_factory) -> Path:
    """A checkpoint as the Runner writes it, alone in its folder; read only."""
    path = tmp_path_factory.mktemp("checkpoint") / "iter_3.pth"
    meta = {"iter": 3, "cfg": cfg.pretty_text}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, path)
    return path


@pytest.fixture(scope="session")
def segmenter(checkpoint) -> Segmenter:
    return Segmenter(checkpoint, device="cpu")


@pytest.fixture(scope="session")
def files(street_scenes) -> list[Path]:
    """Two street scenes of 64 x 128."""
    return sorted((street_scenes / "leftImg8bit/val").rglob("*.png"))


@pytest.fixture
def image() -> np.ndarray:
    """(40, 56, 3), RGB: noise in blocks, so that labels vary and orientation shows."""
    blocks = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture(scope="session")
def write_onnx(tmp_path_factory) -> Callable[..., Path]:
    """Writes an ONNX file of a network, see ``onnx_file``."""

    def write(*, described: bool = True, size: tuple = ("h", "w"), **changes: Any) -> Path:
        onnx: Any = pytest.importorskip("onnx")
        path = tmp_path_factory.mktemp("onnx") / "network.onnx"
        onnx.save(onnx_file(contract(**changes), described_inside=described, size=size), path)
        return path

    return write
