"""The command line of export.py, with a ResNet and a GloRe head from a folder of the hub."""

import json

import pytest
import torch

from glore_seg.apis import load_config
from glore_seg.apis.hub import save_pretrained
from glore_seg.engine import build_model
from glore_seg.errors import GloReSegError

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'glore_seg[export]'")
pytest.importorskip("onnxscript", reason="pip install 'glore_seg[export]'")

pytestmark = pytest.mark.usefixtures("export_support")

NAME = "configs/fcn_r18_glore_street-scenes.py"
SMALL = {
    "model.backbone.base_channels": 8,
    "model.backbone.stem_channels": 8,
    "model.decode_head.in_channels": 64,
    "model.decode_head.channels": 16,
}


@pytest.fixture
def net(tmp_path):
    torch.manual_seed(0)
    cfg = load_config(NAME, cfg_options=SMALL)
    model = build_model(cfg)
    model.decode_head.units[0].blocker.weight.data.fill_(1.0)
    return save_pretrained(cfg, model, tmp_path / "net")


@pytest.mark.slow
def test_export_prints_its_checks(load_tool, net, tmp_path, capsys):
    export = load_tool("export")
    out = tmp_path / "new" / "a.onnx"
    files = [str(net / name) for name in ("config.json", "model.safetensors")]
    arguments = [*files, "--out", str(out), "--argmax", "--check", "64", "128"]
    export(arguments)
    printed = capsys.readouterr().out
    for size in ("1 x 161 x 225", "2 x 128 x 96", "3 x 97 x 353", "1 x 64 x 128"):
        assert f"{size} |" in printed
    assert printed.count("100.0000% | ok |") == 4
    assert f"wrote {out} (" in printed
    assert "segmentation, 19 classes, labels resized to the image, channels rgb" in printed
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    contract = json.loads(session.get_modelmeta().custom_metadata_map["glore_seg"])
    assert contract["classes"][0] == "road"
    labels = session.run(None, {"image": torch.zeros(1, 3, 40, 56).numpy()})[0]
    assert labels.shape == (1, 40, 56)

    with pytest.raises(GloReSegError, match="exists"):
        export(arguments)
