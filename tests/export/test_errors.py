"""Options, networks and files that cannot be exported."""

import sys

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from glore_seg.apis.export import export_model
from glore_seg.errors import ConfigError, MissingDependencyError, OutputError
from glore_seg.export.checking import (
    ExportCheck,
    ExportMismatchError,
    as_table,
    check,
    require_agreement,
)
from tests.export import networks

pytest.importorskip("onnxscript", reason="pip install 'glore_seg[export]'")
pytestmark = pytest.mark.usefixtures("export_support")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"order": "both"}, ConfigError, "'both'"),
        ({"file_format": "trt"}, ConfigError, "'trt'"),
        ({"out": "a.pt"}, ConfigError, r"a\.pt; expected a name that ends in \.onnx"),
        ({"opset": 12}, ConfigError, r"--opset is 12; expected 18 to \d+"),
        ({"file_format": "program", "out": "a.pt2", "opset": 18}, ConfigError, "--opset is 18"),
        ({"device": "tpu"}, ConfigError, "'tpu'"),
        ({"out": "there.onnx"}, OutputError, "exists"),
        ({"out": "folder.onnx", "overwrite": True}, OutputError, "a folder"),
        ({"size": (0, 64)}, ConfigError, "size is 0 x 64; expected multiples of 1"),
        ({"size": (64, 64), "check_sizes": [(8, 8)]}, ConfigError, "exclude each other"),
    ],
)
def test_rejects_options_and_writes_nothing(tmp_path, options, error, message):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    (tmp_path / "there.onnx").write_text("earlier")
    (tmp_path / "folder.onnx").mkdir()
    before = sorted(tmp_path.iterdir())
    out = tmp_path / options.pop("out", "a.onnx")
    with pytest.raises(error, match=message):
        export_model(cfg, checkpoint, out, **options)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_rejects_an_opset_that_torch_does_not_write(tmp_path, monkeypatch):
    monkeypatch.setattr("glore_seg.export.formats._LEAST_OPSET", 12)  # torch writes 18 and warns
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    with pytest.raises(ConfigError, match=r"--opset is 12, but .* only in opset \d+"):
        export_model(cfg, checkpoint, tmp_path / "a.onnx", opset=12)
    assert [*tmp_path.iterdir()] == [checkpoint]


@pytest.mark.slow
def test_rejects_a_network_with_infinite_logits(tmp_path):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    state = torch.load(checkpoint, weights_only=True)
    state["state_dict"]["decode_head.conv_seg.weight"].fill_(float("inf"))
    torch.save(state, checkpoint)
    with pytest.raises(ExportMismatchError, match="torch itself gives inf or nan"):
        export_model(cfg, checkpoint, tmp_path / "a.pt2", file_format="program")


def test_names_missing_packages(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingDependencyError, match=r"onnxscript is not .*glore_seg\[export\]"):
        export_model(networks.segmentation(), "a.pth", tmp_path / "a.onnx")


def test_rejects_class_names_that_do_not_fit(tmp_path):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    cfg.test_dataloader.dataset.metainfo = {"classes": ("a", "b"), "palette": [[0] * 3] * 2}
    with pytest.raises(ConfigError, match="has 2 class names, the network 4"):
        export_model(cfg, checkpoint, tmp_path / "a.onnx")


@MODELS.register_module(force=True)
class PeekingConvs(networks.ThreeConvs):
    """Branches on a value, which cannot be traced."""

    def forward(self, x):
        return super().forward(x if x.mean() > 0 else -x)


def test_rejects_a_network_that_cannot_be_traced(tmp_path):
    cfg = networks.segmentation(backbone={"type": "mmengine.PeekingConvs"})
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    with pytest.raises(ConfigError, match=r"torch\.export cannot trace .*data-dependent"):
        export_model(cfg, checkpoint, tmp_path / "a.onnx")


class Pooled(nn.Module):
    def forward(self, image):
        return image.mean((2, 3))


SIZES = ((1, 5, 7), (2, 6, 4))


@pytest.mark.parametrize(
    ("run", "failure"),
    [
        (lambda x: x.mean((2, 3)) + 0.01, "differs"),
        (lambda x: x.mean((2, 3)) * float("nan"), "differs"),
        (lambda x: x.mean((2, 3)).double(), r"gives torch\.float64 \(1, 3\), torch torch\.float32"),
        (lambda x: x.mean((2, 3))[:, :2], r"gives torch\.float32 \(1, 2\)"),
        (lambda x: x.mean(9), "Dimension out of range"),
    ],
)
def test_finds_differences_of_every_kind(run, failure):
    rows = [check(run, Pooled(), size, torch.device("cpu")) for size in SIZES]
    assert not any(row.agrees for row in rows)
    with pytest.raises(ExportMismatchError, match=rf"(?s)a is not written: .* 2 of 2.*{failure}"):
        require_agreement(rows, name="a")


def test_table_of_equal_outputs():
    rows = [check(Pooled(), Pooled(), size, torch.device("cpu")) for size in SIZES]
    require_agreement(rows, name="a")
    assert [(row.difference, row.share) for row in rows] == [(0, 1), (0, 1)]
    assert "| 1 x 5 x 7 |            0.0e+00 |    100.0000% | ok |" in as_table(rows)


@pytest.mark.parametrize(
    ("difference", "scale", "share", "agrees"),
    [
        (9e-4, 1.0, 1.0, True),
        (2e-3, 1.0, 1.0, False),
        (2e-3, 20.0, 1.0, True),  # relative to larger logits
        (0.0, 1.0, 0.9989, False),
        (None, 1.0, 0.9991, True),
    ],
)
def test_limits(difference, scale, share, agrees):
    assert ExportCheck((1, 1, 1), difference, scale, share).agrees is agrees
