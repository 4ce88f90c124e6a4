"""A small network with random weights: config, lone checkpoint, ONNX file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from glore_seg.engine import build_model
from glore_seg.inference import Segmenter
from tests.engine.conftest import STREET_SCENES, load_config

CLASSES = ("road", "sidewalk", "building")
_SMALL = {
    "model.backbone.base_channels": 8,
    "model.backbone.stem_channels": 8,
    "model.decode_head.in_channels": 64,
    "model.decode_head.channels": 16,
    "model.decode_head.num_nodes": 4,
    "model.decode_head.num_states": 8,
}


@pytest.fixture(scope="session")
def cfg():
    """The street scenes' network made small; its data are nowhere."""
    cfg = load_config(str(STREET_SCENES), cfg_options=_SMALL)
    cfg.test_dataloader.dataset.data_root = "nowhere"
    cfg.img_ratios = None
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
def write_onnx(tmp_path_factory):
    """Writes a network of two lines as an ONNX file with metadata, which ``changes`` go over."""

    def write(*, metadata: bool = True, **changes) -> Path:
        import onnx

        contract = {
            "format": 1,
            "task": "segmentation",
            "classes": list(CLASSES),
            "palette": [[128, 64, 128], [244, 35, 232], [70, 70, 70]],
            "mean": [10.0, 20.0, 30.0],
            "std": [2.0, 4.0, 8.0],
            "channel_order": "rgb",
            "size_divisor": 1,
            "output": "logits",
            "resized": False,
            "align_corners": False,
            **changes,
        }
        folder = tmp_path_factory.mktemp("onnx")
        height, width, batch = (torch.export.Dim(name) for name in ("height", "width", "batch"))
        network = _Pooled(contract["output"] == "labels", contract["resized"]).eval()
        torch.onnx.export(
            network,
            (torch.zeros(2, 3, 12, 16),),
            folder / "network.onnx",
            dynamo=True,
            input_names=["image"],
            output_names=[contract["output"]],
            dynamic_shapes=({0: batch, 2: 4 * height, 3: 4 * width},)
            if contract["size_divisor"] == 4
            else ({0: batch, 2: height, 3: width},),
            verbose=False,
        )
        exported = onnx.load(folder / "network.onnx")
        if metadata:
            entry = exported.metadata_props.add()
            entry.key, entry.value = "glore_seg", json.dumps(contract)
        onnx.save(exported, folder / "network.onnx")
        return folder / "network.onnx"

    return write


class _Pooled(torch.nn.Module):
    """Logits that are the channels themselves, at the input's size or a quarter of it."""

    def __init__(self, labels: bool, resized: bool) -> None:
        super().__init__()
        self.labels, self.resized = labels, resized

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.resized and not self.labels:
            x = torch.nn.functional.avg_pool2d(x, 4)
        return x.argmax(1) if self.labels else x
