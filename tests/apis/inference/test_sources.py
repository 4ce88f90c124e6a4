"""The sources of a network, and files that are rejected."""

import hashlib
import json

import numpy as np
import pytest
import torch

from glore_seg.apis.hub import save_pretrained
from glore_seg.apis.inference import Segmenter
from glore_seg.apis.inference.sources import hash_source
from glore_seg.checkpoints import write_state_dict
from glore_seg.errors import ConfigError, GloReSegError


@pytest.fixture
def expected(segmenter, image):
    return segmenter(image).labels


def save(path, model, **meta):
    torch.save({"state_dict": model.state_dict(), "meta": meta}, path)
    return path


def test_a_config_with_a_checkpoint(cfg, checkpoint, expected, image, tmp_path):
    cfg.dump(tmp_path / "small.py")
    for source in (cfg, tmp_path / "small.py", str(tmp_path / "small.py")):
        found = Segmenter(source, checkpoint=checkpoint, device="cpu")
        assert np.array_equal(found(image).labels, expected)
    assert found.model.decode_head.num_classes == 19
    with pytest.raises(ConfigError, match=r"small\.py.*give checkpoint"):
        Segmenter(tmp_path / "small.py")
    with pytest.raises(ConfigError, match=r"iter_3\.pth"):
        Segmenter(checkpoint, checkpoint=checkpoint)
    path = tmp_path / "glore.safetensors"  # with its config inside
    write_state_dict(path, found.model.state_dict(), meta={"cfg": cfg.pretty_text})
    assert np.array_equal(Segmenter(path, device="cpu")(image).labels, expected)


def test_a_folder_for_the_hub(cfg, model, expected, image, tmp_path):
    net = save_pretrained(cfg, model, tmp_path / "my net")
    for source in (net, str(net), net / "model.safetensors"):
        assert np.array_equal(Segmenter(source, device="cpu")(image).labels, expected)
    found = Segmenter(net / "config.json", checkpoint=net / "model.safetensors", device="cpu")
    assert np.array_equal(found(image).labels, expected)
    config = json.loads((net / "config.json").read_text())
    config["model"] = {"type": "os.system", "command": "true"}
    (net / "config.json").write_text(json.dumps(config))
    with pytest.raises(GloReSegError, match=r"config\.json.*'os\.system'"):
        Segmenter(net)
    (net / "config.json").unlink()
    with pytest.raises(GloReSegError, match=r"config\.json"):
        Segmenter(net)


MALICIOUS = "__import__('pathlib').Path({!r}).touch()"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = dict(type='EncoderDecoder')\n{run}", "line 2"),
        ("model = dict(type={run})", "line 1"),
        ("model = dict(type='os.system', command='true')", "'os.system'"),
        ("data = 1", "model"),
        ("model = dict(", "pth|py"),
        ("model = dict(type='EncoderDecoder')", "test_dataloader is None"),
    ],
)
def test_configs_of_checkpoints_run_no_code(model, tmp_path, text, message):
    touched = tmp_path / "touched"
    text = text.format(run=MALICIOUS.format(str(touched)))
    path = save(tmp_path / "malicious.pth", model, cfg=text)
    with pytest.raises(GloReSegError, match=message):
        Segmenter(path)
    beside = save(tmp_path / "beside.pth", model)
    (tmp_path / "beside.py").write_text(text)
    with pytest.raises(GloReSegError, match=message):
        Segmenter(beside)
    assert not touched.exists()


def test_rejects_missing_weights(tmp_path):
    for name in ("none.pth", "none.safetensors", "none.pdparams"):
        with pytest.raises(GloReSegError, match=name):
            Segmenter(tmp_path / name)
    with pytest.raises(GloReSegError, match=r"odd\.pth.*list"):
        Segmenter(save(tmp_path / "odd.pth", torch.nn.Conv2d(1, 1, 1), cfg=[1]))
    pytest.importorskip("onnxruntime", reason="pip install 'glore_seg[export]'")
    with pytest.raises(GloReSegError, match=r"none\.onnx"):
        Segmenter(tmp_path / "none.onnx")


def test_the_hash_of_a_config_is_also_of_what_it_inherits(tmp_path):
    base, config = tmp_path / "base.py", tmp_path / "small.py"
    base.write_text("a = 1\n")
    config.write_text("_base_ = './base.py'\nb = 2\n")
    first = hash_source(config)
    assert hash_source(str(config)) == first
    assert len(first) == 64
    base.write_text("a = 3\n")
    assert hash_source(config) != first
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"one")
    assert hash_source(weights) == hashlib.sha256(b"one").hexdigest()
