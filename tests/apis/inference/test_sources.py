"""Which files make a network, and which are refused."""

import copy
import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from glore_seg.apis.hub import save_pretrained
from glore_seg.apis.inference import Segmenter
from glore_seg.apis.inference.sources import hash_source
from glore_seg.checkpoints import write_state_dict
from glore_seg.checkpoints.json_config import config_to_json
from glore_seg.errors import GloReSegError


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
    with pytest.raises(ValueError, match=r"small\.py is a config without weights: give checkpoint"):
        Segmenter(tmp_path / "small.py")
    with pytest.raises(ValueError, match=r"and checkpoint .*iter_3\.pth is given, too"):
        Segmenter(checkpoint, checkpoint=checkpoint)


def test_safetensors_with_its_config_inside(cfg, model, expected, image, tmp_path):
    path = tmp_path / "glore.safetensors"
    write_state_dict(path, model.state_dict(), meta={"cfg": cfg.pretty_text})
    assert np.array_equal(Segmenter(path, device="cpu")(image).labels, expected)


def test_a_folder_for_the_hub(cfg, model, expected, image, tmp_path):
    net = save_pretrained(cfg, model, tmp_path / "my net")
    for source in (net, str(net), net / "model.safetensors"):
        assert np.array_equal(Segmenter(source, device="cpu")(image).labels, expected)
    found = Segmenter(net / "config.json", checkpoint=net / "model.safetensors", device="cpu")
    assert np.array_equal(found(image).labels, expected)
    with pytest.raises(ValueError, match=r"my net has weights of its own, and checkpoint .* too"):
        Segmenter(net, checkpoint=net / "model.safetensors")
    config = json.loads((net / "config.json").read_text())
    config["model"] = {"type": "os.system", "command": "true"}
    (net / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: model\.type is 'os\.system'"):
        Segmenter(net)
    (net / "config.json").unlink()
    with pytest.raises(ValueError, match=r"my net has no config\.json; expected a folder as save"):
        Segmenter(net)


@pytest.mark.parametrize("ending", [".json", ".py"])
def test_a_config_beside(cfg, model, expected, image, tmp_path, ending):
    path = save(tmp_path / "glore.pth", model)
    with pytest.raises(GloReSegError, match=r"nor glore\.json, glore\.py, config\.json beside"):
        Segmenter(path)
    if ending == ".json":
        (tmp_path / "glore.json").write_text(config_to_json(cfg, source="small.py"))
    else:
        cfg.dump(tmp_path / "glore.py")
    assert np.array_equal(Segmenter(path, device="cpu")(image).labels, expected)


HOSTILE = "__import__('pathlib').Path({!r}).touch()"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = dict(type='EncoderDecoder')\n{run}", "line 2 of .* is more than data"),
        ("model = dict(type={run})", "line 1 of .* is more than data"),
        ("model = dict(type='os.system', command='true')", "model.type is 'os.system'"),
        ("data = 1", "has no model; expected the config of a network"),
        ("model = dict(", "no text of literal settings"),
        ("model = dict(type=3)\ntest_dataloader = dict(dataset=dict())", "TypeError: type must be"),
        ("model = dict(type='EncoderDecoder')", r"test_dataloader is None; expected one"),
    ],
)
def test_what_could_run_code_does_not(model, tmp_path, text, message):
    touched = tmp_path / "touched"
    text = text.format(run=HOSTILE.format(str(touched)))
    path = save(tmp_path / "hostile.pth", model, cfg=text)
    with pytest.raises(ValueError, match=message):
        Segmenter(path)
    beside = save(tmp_path / "beside.pth", model)
    (tmp_path / "beside.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        Segmenter(beside)
    assert not touched.exists()


def test_hostile_and_missing_weights(cfg, tmp_path):
    (tmp_path / "hostile.pth").write_bytes(pickle.dumps(Path))
    with pytest.raises(pickle.UnpicklingError, match=r"hostile\.pth is not loaded"):
        Segmenter(tmp_path / "hostile.pth")
    for name in ("none.pth", "none.safetensors"):
        with pytest.raises(GloReSegError, match=f"{name} not found"):
            Segmenter(tmp_path / name)
    with pytest.raises(GloReSegError, match=r"none\.onnx does not exist"):
        Segmenter(tmp_path / "none.onnx")
    with pytest.raises(ValueError, match=r"ends in '\.pdparams'; expected a config .*convert\.py"):
        Segmenter("model.pdparams")
    with pytest.raises(ValueError, match=r"meta\['cfg'\] of .* is a list; expected the text"):
        Segmenter(save(tmp_path / "odd.pth", torch.nn.Conv2d(1, 1, 1), cfg=[1]))


def test_a_pipeline_that_loads_otherwise(cfg, checkpoint, image):
    changed = copy.deepcopy(cfg)
    changed.test_dataloader.dataset.pipeline[0].color_type = "grayscale"
    segmenter = Segmenter(changed, checkpoint=checkpoint, device="cpu")
    with pytest.raises(ValueError, match=r"begins with .*grayscale.*; expected LoadImageFromFile"):
        segmenter(image)


def test_what_a_hostile_config_leads_to_names_the_file(cfg, model, tmp_path, image):
    """Assertions, KeyErrors and the like of hosts, while building and while running."""
    changed = copy.deepcopy(cfg)
    changed.model.backbone.dilations = (1,)
    path = save(tmp_path / "a.pth", model, cfg=changed.pretty_text)
    with pytest.raises(AssertionError):
        Segmenter(path)
    changed = copy.deepcopy(cfg)
    changed.test_dataloader.dataset.pipeline[-1].meta_keys = ("nothing",)
    path = save(tmp_path / "a.pth", model, cfg=changed.pretty_text)
    with pytest.raises(ValueError, match=r"image 0 .* cannot be segmented: \w+Error\("):
        Segmenter(path, device="cpu")(image)


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
