"""Files that other runtimes read, against mmseg's and mmpretrain's own forward passes."""

import json

import numpy as np
import pytest
import torch
from mmseg.models.utils import resize

from glore_seg.apis import load_model
from glore_seg.apis.export import FORMATS, export_model
from glore_seg.export import PROPERTY, formats
from glore_seg.export.checking import ExportMismatchError
from glore_seg.layers import GloReUnit
from tests.export import networks

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'glore_seg[export]'")
pytest.importorskip("onnxscript", reason="pip install 'glore_seg[export]'")

pytestmark = pytest.mark.usefixtures("export_support")

OTHER_SIZES = ((1, 40, 72), (2, 57, 91), (3, 129, 65))
UNIT_OFF = dict.fromkeys(("num_nodes", "num_states", "unit_cfg"))
PSP = {"type": "PSPHead", "pool_scales": (1, 3), "align_corners": True, **UNIT_OFF}
NECK = {
    "type": "GloReNeck",
    "in_channels": (8, 8, 8),
    "levels": (-1,),
    "unit_cfg": {"num_nodes": 2, "zero_init": False},
}


def open_onnx(path):
    """The file as a function, and its contract."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (entry,), (exit_,) = session.get_inputs(), session.get_outputs()
    contract = json.loads(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert (entry.name, exit_.name) == ("image", contract["output"])
    assert entry.shape == ["batch", 3, "height", "width"]
    if contract["resized"]:
        assert exit_.shape == ["batch", 4, "height", "width"]
    return lambda x: torch.from_numpy(session.run(None, {"image": x.numpy()})[0]), contract


def open_program(path):
    """The file as a function, and its contract."""
    texts = {PROPERTY: ""}
    program = torch.export.load(path, extra_files=texts).module()
    return program, json.loads(texts[PROPERTY])


def as_test_step(model, x):
    """The way of mmseg's own inference: logits at the size of the image."""
    with torch.no_grad():
        return model.encode_decode(x, [{"img_shape": x.shape[2:]}] * len(x))


def assert_logits_of_mmseg(run, cfg, checkpoint):
    model = load_model(cfg, checkpoint, device="cpu")
    for batch, height, width in OTHER_SIZES:
        x = torch.randn(batch, 3, height, width)
        wanted = as_test_step(model, x)
        torch.testing.assert_close(run(x), wanted, rtol=1e-4, atol=1e-4)
        assert wanted.std(dim=(2, 3)).min() > 1e-3  # which a constant would not give


@pytest.fixture
def saved(tmp_path):
    """Gives a segmentation config and a checkpoint of it."""

    def saved(**changes):
        cfg = networks.segmentation(**changes)
        return cfg, networks.save(cfg, tmp_path / "a.pth")

    return saved


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file_format", "order", "changes"),
    [
        ("onnx", "interaction", {}),
        ("onnx", "auto", {"head": PSP, "neck": NECK}),
        ("program", "coordinate", {}),
        ("program", "interaction", {"head": PSP, "neck": NECK}),
    ],
)
def test_logits_of_mmseg_at_sizes_that_were_not_traced(
    saved, tmp_path, file_format, order, changes
):
    cfg, checkpoint = saved(**changes)
    out = tmp_path / f"a{FORMATS[file_format]}"
    exported = export_model(cfg, checkpoint, out, file_format=file_format, order=order)
    assert [row.size for row in exported.checks] == [(1, 161, 225), (2, 128, 96), (3, 97, 353)]
    assert all(row.agrees and row.share == 1 for row in exported.checks)
    assert {*tmp_path.iterdir()} == {out, checkpoint}
    run, contract = (open_onnx if file_format == "onnx" else open_program)(out)
    assert_logits_of_mmseg(run, cfg, checkpoint)
    assert contract == json.loads(exported.contract.to_json())
    expected = {
        "classes": list(networks.CLASSES),
        "palette": [list(color) for color in networks.PALETTE],
        "mean": [123.675, 116.28, 103.53],
        "std": [58.395, 57.12, 57.375],
        "channel_order": "rgb",
        "output": "logits",
        "resized": True,
    }
    assert expected.items() <= contract.items()


@pytest.mark.slow
def test_labels_of_coarse_logits_in_the_other_order(saved, tmp_path):
    cfg, checkpoint = saved(head={"align_corners": True})
    options = {"order": "coordinate", "resized": False, "argmax": True, "opset": 18}
    export_model(cfg, checkpoint, tmp_path / "a.onnx", **options)
    model = load_model(cfg, checkpoint, device="cpu")
    assert next(m.order for m in model.modules() if isinstance(m, GloReUnit)) == "auto"
    run, contract = open_onnx(tmp_path / "a.onnx")
    for batch, height, width in OTHER_SIZES:
        x = torch.randn(batch, 3, height, width)
        found = run(x)
        with torch.no_grad():
            wanted = model(x, mode="tensor").argmax(1)
        assert found.dtype == torch.uint8
        assert found.shape == wanted.shape == (batch, -(-height // 8), -(-width // 8))
        assert (found == wanted).double().mean() >= 0.999
    expected = {"output": "labels", "resized": False, "align_corners": True}
    assert expected.items() <= contract.items()


@pytest.mark.slow
def test_check_finds_pooling_of_the_traced_size(saved, tmp_path, monkeypatch):
    """torch's own way with adaptive pooling: wrong without a word at sizes above the traced."""
    monkeypatch.setattr("glore_seg.export.formats.with_exact_pooling", lambda program: program)
    monkeypatch.setattr("glore_seg.apis.export.SIZES", ((1, 200, 320),))
    cfg, checkpoint = saved(head={**PSP, "pool_scales": (3,)})
    (tmp_path / "a.onnx").write_bytes(b"of before")
    message = r"a\.onnx is not written: it differs from torch at 1 of 1 sizes; .*--size HEIGHT"
    with pytest.raises(ExportMismatchError, match=message) as refused:
        export_model(cfg, checkpoint, tmp_path / "a.onnx", overwrite=True)
    assert "1 x 200 x 320" in str(refused.value)
    assert {*tmp_path.iterdir()} == {tmp_path / "a.onnx", checkpoint}
    assert (tmp_path / "a.onnx").read_bytes() == b"of before"


@pytest.mark.parametrize(
    ("size", "bins"), [((13, 29), (3, 4)), ((6, 6), (6, 6)), ((2, 5), (3, 1)), ((2, 5), (1, 1))]
)
def test_pooling_is_torchs(size, bins):
    x = torch.randn(2, 4, *size, dtype=torch.float64)
    torch.testing.assert_close(
        formats.adaptive_avg_pool2d(x, bins), torch.nn.functional.adaptive_avg_pool2d(x, bins)
    )


@pytest.mark.slow
def test_classifier_gives_mmpretrains_logits(tmp_path):
    cfg = networks.classification()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    export_model(cfg, checkpoint, tmp_path / "a.onnx")
    assert "data_preprocessor" not in cfg.model
    model = load_model(cfg, checkpoint, device="cpu")
    run, contract = open_onnx(tmp_path / "a.onnx")
    for batch, height, width in OTHER_SIZES:
        x = torch.randn(batch, 3, height, width)
        with torch.no_grad():
            torch.testing.assert_close(run(x), model(x), rtol=1e-4, atol=1e-4)
    expected = {
        "task": "classification",
        "classes": list(networks.CLASSES),
        "palette": [],
        "mean": [1.0, 2.0, 3.0],
        "channel_order": "bgr",
        "resized": False,
    }
    assert expected.items() <= contract.items()


@pytest.mark.slow
def test_fixed_size_and_size_divisor(tmp_path):
    cfg = networks.segmentation()
    cfg.model.data_preprocessor.test_cfg = {"size_divisor": 32}
    checkpoint = networks.save(cfg, tmp_path / "a.pth")

    def export(name, **options):
        return export_model(cfg, checkpoint, tmp_path / name, file_format="program", **options)

    exported = export("a.pt2", size=(64, 96))
    assert exported.contract.size_divisor == 32
    assert [row.size for row in exported.checks] == [(1, 64, 96), (3, 64, 96)]
    with pytest.raises(ValueError, match=r"size is 64 x 90; expected multiples of 32"):
        export("b.pt2", size=(64, 90))
    free = export("c.pt2", check_sizes=[(64, 320)])
    sizes = [(1, 192, 256), (2, 128, 96), (3, 128, 384), (1, 64, 320)]
    assert [row.size for row in free.checks] == sizes


@pytest.mark.slow
def test_one_logit_for_two_classes(tmp_path):
    loss = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    head = {"num_classes": 2, "out_channels": 1, "threshold": 0.4, "loss_decode": loss}
    cfg = networks.segmentation(head=head)
    two = {"classes": ("no", "yes"), "palette": [[0, 0, 0], [1, 1, 1]]}
    cfg.test_dataloader.dataset.metainfo = two
    checkpoint, out = networks.save(cfg, tmp_path / "a.pth"), tmp_path / "a.pt2"
    with pytest.raises(ValueError, match=r"one logit for two classes.*add --argmax"):
        export_model(cfg, checkpoint, out, file_format="program")
    export_model(cfg, checkpoint, out, file_format="program", argmax=True)
    x = torch.randn(2, 3, 40, 72)
    model = load_model(cfg, checkpoint, device="cpu")
    wanted = [one.pred_sem_seg.data for one in model.postprocess_result(as_test_step(model, x))]
    found = torch.export.load(out).module()(x)
    assert np.array_equal(found.numpy(), torch.cat(wanted).numpy())


@pytest.mark.slow
def test_resizing_outside_equals_resizing_inside(saved, tmp_path):
    cfg, checkpoint = saved(head={"align_corners": True})
    options = {"file_format": "program", "resized": False}
    export_model(cfg, checkpoint, tmp_path / "a.pt2", **options)
    coarse, contract = open_program(tmp_path / "a.pt2")
    assert contract["align_corners"]

    def run(x):
        return resize(coarse(x), x.shape[2:], mode="bilinear", align_corners=True)

    assert_logits_of_mmseg(run, cfg, checkpoint)
