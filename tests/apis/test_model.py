"""A network from a config and a checkpoint, outside the Runner."""

import pickle
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger

from glore_seg.apis import load_model, use_tta
from glore_seg.engine import build_model
from glore_seg.engine.checkpoint_checks import unwrap
from glore_seg.errors import CheckpointError


@pytest.fixture
def saved(small_cfg, save):
    """A network with random weights and the file of them."""
    path = save(small_cfg)
    model = build_model(small_cfg)
    model.load_state_dict(torch.load(path, weights_only=True)["state_dict"])
    return model, path


@pytest.mark.parametrize("prefix", ["", "module."])
def test_every_weight_comes_from_the_file(small_cfg, saved, tmp_path, prefix):
    model, _ = saved
    state = {prefix + name: value for name, value in model.state_dict().items()}
    extra = {f"{prefix}auxiliary_head.conv_seg.bias": torch.zeros(1)}
    torch.save({**state, **extra}, tmp_path / "bare.pth")
    small_cfg.dump(tmp_path / "small.py")
    loaded = load_model(tmp_path / "small.py", tmp_path / "bare.pth", device="cpu")
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_within_test_time_augmentation(small_cfg, saved):
    model, path = saved
    use_tta(small_cfg)
    loaded = load_model(small_cfg, path, device="cpu")
    assert unwrap(loaded) is not loaded
    weights = (network.decode_head.conv_seg.weight for network in (unwrap(loaded), model))
    assert torch.equal(*weights)


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": 3}, {"epoch": 3}])
def test_rejects_files_without_weights(small_cfg, tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth has no state_dict"):
        load_model(small_cfg, tmp_path / "other.pth")


def test_rejects_missing_and_malicious_files(small_cfg, tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.pth"):
        load_model(small_cfg, tmp_path / "none.pth")
    (tmp_path / "malicious.pth").write_bytes(pickle.dumps(Path))
    with pytest.raises(CheckpointError, match=r"malicious\.pth is not loaded"):
        load_model(small_cfg, tmp_path / "malicious.pth")


def test_warns_of_settings_that_shapes_do_not_show(small_cfg, saved, tmp_path):
    MMLogger.get_instance(tmp_path.name, log_file=str(tmp_path / "log.txt"))
    path, meta = tmp_path / "trained.pth", {"cfg": small_cfg.pretty_text}
    torch.save({"state_dict": saved[0].state_dict(), "meta": meta}, path)
    load_model(small_cfg, path, device="cpu")
    assert "other settings" not in (tmp_path / "log.txt").read_text()
    small_cfg.model.decode_head.unit_cfg = {"normalize": False, "order": "coordinate"}
    small_cfg.model.data_preprocessor.bgr_to_rgb = False
    small_cfg.model.decode_head.loss_decode.loss_weight = 2.0
    load_model(small_cfg, path, device="cpu")
    text = (tmp_path / "log.txt").read_text()
    assert "trained.pth was trained with other settings of the network: " in text
    assert "model.data_preprocessor.bgr_to_rgb was True in training and is False here" in text
    assert "model.decode_head.unit_cfg was not set in training and is {'normalize': F" in text
    assert "loss_weight" not in text
