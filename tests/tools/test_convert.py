"""The command line of the converter: weights and config, or exit code 2."""

from functools import partial

import pytest
import torch
from mmseg.registry import MODELS

from glore_seg.apis import load_config, load_model
from glore_seg.engine import build_model
from glore_seg.engine.checkpoint_checks import check_state_dict
from tests.checkpoints.files import write_pdparams
from tests.checkpoints.references import classifier_names
from tests.reference import paddleseg, released_video

TOOL = "model_converters/convert"


def test_paddleseg_weights_become_a_network(exit_code, tmp_path, capsys):
    state = paddleseg.random_state(50, num_classes=21)
    write_pdparams(tmp_path / "model.pdparams", state)
    out = tmp_path / "glore.pth"
    convert = partial(exit_code, TOOL)
    assert convert("paddleseg", tmp_path / "model.pdparams", out) == 0
    printed = capsys.readouterr().out
    assert "301 of 301 parameters fit" in printed
    assert f"python tools/test.py {tmp_path / 'glore.py'} {out}" in printed

    assert "output stride 8" in printed
    assert "strides=1,2,2,1 model.backbone.dilations=1,1,1,2 model.backbone.multi_grid" in printed

    cfg = load_config(str(tmp_path / "glore.py"))
    assert [cfg.model[f"{head}_head"].num_classes for head in ("decode", "auxiliary")] == [21, 21]
    model = build_model(cfg)
    saved = torch.load(out, weights_only=True)
    assert saved["meta"] == {"source": "paddleseg"}
    check_state_dict(model, saved["state_dict"], source=str(out), strict=True)
    assert convert("paddleseg", tmp_path / "model.pdparams", out) == 2
    assert "exists" in capsys.readouterr().err


@pytest.mark.slow
def test_backbone_weights_initialize_the_config(exit_code, tmp_path, capsys):
    names = classifier_names(50, deep_stem=True, pooled_shortcut=True)
    torch.save({name: torch.full(s, 0.5) for name, s in names.items()}, tmp_path / "timm.pth")
    out = tmp_path / "v1d.safetensors"
    convert = partial(exit_code, TOOL)
    arguments = ("timm", tmp_path / "timm.pth", out)

    # The main config's backbone is v1c, without the pooling in the shortcuts.
    assert convert(*arguments) == 2
    assert "missing: layer1.0.downsample.0.weight" in capsys.readouterr().out
    assert not out.exists()

    options = {"model.backbone.variant": "v1d", "model.backbone.num_units": (0, 2, 3, 0)}
    flat = [f"{k}={str(v).replace(' ', '')}" for k, v in options.items()]
    assert convert(*arguments, "--cfg-options", *flat) == 0
    assert f"--cfg-options model.pretrained={out}" in capsys.readouterr().out
    assert not out.with_suffix(".py").exists()
    cfg = load_config(
        "configs/fcn_r50_glore_cityscapes.py",
        cfg_options={**options, "model.backbone.norm_cfg.type": "BN"},
    )
    cfg.model.backbone.init_cfg = {"type": "Pretrained", "checkpoint": str(out)}
    network = MODELS.build(cfg.model.backbone)
    network.init_weights()
    assert network.layer4[2].conv3.weight.eq(0.5).all()
    assert network.stem[7].running_mean.eq(0.5).all()
    assert network.layer3.units["3"].blocker.weight.eq(0).all()


@pytest.mark.parametrize("head_only", [pytest.param(False, marks=pytest.mark.slow), True])
def test_authors_head_only(head_only, exit_code, tmp_path):
    model = build_model(load_config("configs/fcn_r50_glore_cityscapes.py"))
    released = {
        "convs.0.conv": "conv51.0",
        "convs.0.bn": "conv51.1",
        "convs.1.conv": "conv52.0",
        "convs.1.bn": "conv52.1",
        "conv_seg": "conv6.1",
    }
    state = {}
    for name, value in model.decode_head.state_dict().items():
        module, _, last = name.rpartition(".")
        module = released.get(module, module.replace("units.0", "gcn.GCN00"))
        state[f"{module}.{last}"] = value
    torch.save(state, tmp_path / "head.pth")
    arguments = ["authors", tmp_path / "head.pth", tmp_path / "out.pth"]
    code = exit_code(TOOL, *arguments, *["--head-only"] * head_only)
    assert code == (0 if head_only else 2)
    assert (tmp_path / "out.pth").exists() == head_only


def test_output_stride_of_paddleseg_weights(exit_code, tmp_path, capsys):
    write_pdparams(tmp_path / "model.pdparams", paddleseg.random_state(50))
    stages = {"strides": "1,2,2,1", "dilations": "1,1,1,2", "multi_grid": "None"}
    options = ["--cfg-options", *(f"model.backbone.{k}={v}" for k, v in stages.items())]
    arguments = ("paddleseg", tmp_path / "model.pdparams", tmp_path / "glore.pth")
    assert exit_code(TOOL, *arguments, *options) == 0
    assert "output stride 16" in capsys.readouterr().out
    backbone = load_config(str(tmp_path / "glore.py")).model.backbone
    assert (backbone.strides, backbone.dilations) == ((1, 2, 2, 1), (1, 1, 1, 2))
    assert backbone.multi_grid is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.pdiparams", "exported"),
        ("model.pdmodel", "exported"),
        ("model.json", "exported"),
        ("model.pdopt", "optimizer"),
    ],
)
def test_other_files_of_paddle_are_named(name, what, exit_code, tmp_path, capsys):
    (tmp_path / name).write_bytes(b"\0" * 16)
    assert exit_code(TOOL, "paddleseg", tmp_path / name, tmp_path / "out.pth") == 2
    error = capsys.readouterr().err
    assert what in error
    assert "model.pdparams" in error


@pytest.mark.parametrize("name", ["nowhere.pdparams", "broken.pdparams", "broken.pth"])
def test_bad_files_exit_with_2(name, exit_code, tmp_path, capsys):
    if name.startswith("broken"):
        (tmp_path / name).write_bytes(b"\x80\x04cposix\nsystem\n.")
    code = exit_code(TOOL, "paddleseg", tmp_path / name, tmp_path / "out.pth")
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert name in error


def test_released_video_weights(exit_code, tmp_path, capsys):
    pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
    state = released_video.random_state(50, classes=7, base=4)
    released = {"state_dict": {f"module.{name}": value for name, value in state.items()}}
    torch.save(released, tmp_path / "released.pth")
    out = tmp_path / "glore.pth"
    small = ["backbone.base_channels=4", "cls_head.in_channels=128"]
    options = ["--cfg-options", *(f"model.{option}" for option in small)]
    arguments = ["authors-video", str(tmp_path / "released.pth"), str(out), *options]
    assert exit_code(TOOL, *arguments) == 0
    assert "331 of 331 parameters fit" in capsys.readouterr().out
    model = load_model(tmp_path / "glore.py", out, device="cpu")
    clips = torch.randn(1, 1, 3, 8, 32, 32)
    with torch.no_grad():
        scores = model(clips, mode="tensor", stage="head")
    torch.testing.assert_close(
        scores, released_video.forward(state, clips[:, 0], 50), rtol=1e-4, atol=1e-4
    )
