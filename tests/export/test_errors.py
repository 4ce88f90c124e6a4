"""What cannot be exported, and what is said of it."""

import sys

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from glore_seg.apis.export import export_model
from glore_seg.errors import MissingDependencyError
from glore_seg.export import Contract
from glore_seg.export.checking import (
    Comparison,
    ExportMismatchError,
    as_table,
    compare,
    require_agreement,
)
from tests.export import networks

pytestmark = pytest.mark.usefixtures("export_support")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"order": "both"}, ValueError, r"order must be one of .*'both'"),
        ({"file_format": "trt"}, ValueError, r"--format is 'trt'; expected one of onnx, program"),
        ({"out": "a.pt"}, ValueError, r"a\.pt; expected a name that ends in \.onnx"),
        ({"opset": 12}, ValueError, r"--opset is 12; expected 18 to \d+, which the installed onnx"),
        ({"opset": 999}, ValueError, r"--opset is 999; expected 18 to"),
        ({"file_format": "program", "out": "a.pt2", "opset": 18}, ValueError, "programs have none"),
        ({"device": "tpu"}, ValueError, r"device is 'tpu', which torch cannot use here"),
        ({"out": "there.onnx"}, FileExistsError, "exists; give another name, or say --overwrite"),
        ({"out": "folder.onnx"}, IsADirectoryError, "a folder; expected a file"),
        ({"checkpoint": "none.pth"}, FileNotFoundError, r"none\.pth not found"),
        ({"size": (0, 64)}, ValueError, "size is 0 x 64; expected multiples of 1 above 0"),
        ({"size": (64, 64), "check_sizes": [(8, 8)]}, ValueError, "leave one of the two out"),
    ],
)
def test_wrong_options_are_refused_and_nothing_is_written(tmp_path, options, error, message):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    (tmp_path / "there.onnx").write_text("of before")
    (tmp_path / "folder.onnx").mkdir()
    before = sorted(tmp_path.iterdir())
    options = {"out": "a.onnx", "checkpoint": checkpoint.name, **options}
    paths = [tmp_path / options.pop(name) for name in ("checkpoint", "out")]
    with pytest.raises(error, match=message):
        export_model(cfg, *paths, **options)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="device is 'cuda', which torch cannot use here"):
        export_model(networks.segmentation(), "a.pth", tmp_path / "a.onnx", device="cuda")


def test_a_network_that_overflows_itself_is_said_to(tmp_path):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    state = torch.load(checkpoint, weights_only=True)
    state["state_dict"]["decode_head.conv_seg.weight"].fill_(float("inf"))
    torch.save(state, checkpoint)
    with pytest.raises(ExportMismatchError, match="torch itself gives inf or nan"):
        export_model(cfg, checkpoint, tmp_path / "a.pt2", file_format="program")


@pytest.mark.parametrize("module", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_packages_are_named_with_the_command(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=rf"{module} is not .*glore_seg\[export\]"):
        export_model(networks.segmentation(), "a.pth", tmp_path / "a.onnx")


def test_configs_that_do_not_say_enough(tmp_path):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    cfg.test_dataloader.dataset.metainfo = {"classes": ("a", "b"), "palette": [[0] * 3] * 2}
    with pytest.raises(ValueError, match=r"names 2 classes, the network gives 4; .*metainfo="):
        export_model(cfg, checkpoint, tmp_path / "a.onnx")
    cfg.default_scope = "mmdet"
    with pytest.raises(ValueError, match=r"default_scope of the config is 'mmdet'; expected one"):
        export_model(cfg, checkpoint, tmp_path / "a.onnx")


@MODELS.register_module(force=True)
class PeekingConvs(networks.ThreeConvs):
    """Chooses by a value, which no graph holds."""

    def forward(self, x):
        return super().forward(x if x.mean() > 0 else -x)


def test_a_network_that_cannot_be_traced(tmp_path):
    cfg = networks.segmentation(backbone={"type": "mmengine.PeekingConvs"})
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    with pytest.raises(
        ValueError, match=r"torch\.export cannot trace the network .*data-dependent"
    ):
        export_model(cfg, checkpoint, tmp_path / "a.onnx")


class Doubled(nn.Module):
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
def test_differences_of_every_kind_are_found(run, failure):
    rows = compare(run, Doubled(), SIZES, device=torch.device("cpu"))
    assert not any(row.agrees for row in rows)
    with pytest.raises(ExportMismatchError, match=rf"(?s)a is not written: .* 2 of 2.*{failure}"):
        require_agreement(rows, what="a")


def test_what_agrees_is_a_table():
    rows = compare(Doubled(), Doubled(), SIZES, device=torch.device("cpu"))
    require_agreement(rows, what="a")
    assert [(row.difference, row.share) for row in rows] == [(0, 1), (0, 1)]
    assert "| 1 x 5 x 7 |            0.0e+00 |         100.0000% | ok |" in as_table(rows)


@pytest.mark.parametrize(
    ("row", "agrees"),
    [
        (Comparison((1, 1, 1), 9e-4, 1.0, 1.0), True),
        (Comparison((1, 1, 1), 2e-3, 1.0, 1.0), False),
        (Comparison((1, 1, 1), 2e-3, 20.0, 1.0), True),  # of greater logits
        (Comparison((1, 1, 1), 0.0, 1.0, 0.9989), False),
        (Comparison((1, 1, 1), None, 1.0, 0.9991), True),
    ],
)
def test_limits(row, agrees):
    assert row.agrees is agrees


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "task": "x"}'])
def test_other_properties_are_refused(text):
    with pytest.raises(ValueError, match=r"property 'glore_seg' of b\.onnx .*export the network"):
        Contract.from_json(text, source="b.onnx")
