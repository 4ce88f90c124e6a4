"""The command line of export.py."""

import json

import pytest
import torch

from glore_seg.errors import GloReSegError
from glore_seg.export import PROPERTY
from tests.export import networks

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'glore_seg[export]'")
pytest.importorskip("onnxscript", reason="pip install 'glore_seg[export]'")


@pytest.mark.slow
@pytest.mark.usefixtures("export_support")
def test_export_prints_its_checks(load_tool, tmp_path, capsys):
    cfg, out = networks.segmentation(), tmp_path / "new" / "a.onnx"
    cfg.dump(tmp_path / "a.py")
    files = [str(tmp_path / "a.py"), str(networks.save(cfg, tmp_path / "a.pth"))]
    arguments = [*files, "--out", str(out), "--argmax", "--check", "64", "128"]
    load_tool("export")(arguments)
    printed = capsys.readouterr().out
    for size in ("1 x 161 x 225", "2 x 128 x 96", "3 x 97 x 353", "1 x 64 x 128"):
        assert f"{size} |" in printed
    assert printed.count("100.0000% | ok |") == 4
    assert f"wrote {out} (" in printed
    assert "segmentation, 4 classes, labels resized to the image, channels rgb" in printed
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    contract = json.loads(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert contract["classes"] == list(networks.CLASSES)
    labels = session.run(None, {"image": torch.zeros(1, 3, 40, 56).numpy()})[0]
    assert labels.shape == (1, 40, 56)
    with pytest.raises(GloReSegError, match="exists"):
        load_tool("export")(arguments)
