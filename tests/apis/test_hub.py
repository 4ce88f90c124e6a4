"""Folders of networks, here and in a stand-in for the hub."""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import create_autospec

import pytest
import torch

from glore_seg.apis import load_config, load_model
from glore_seg.apis.hub import (
    fetch_pretrained,
    from_pretrained,
    pull_from_hub,
    push_to_hub,
    read_config,
    save_pretrained,
)
from glore_seg.errors import CheckpointError, ConfigError, MissingDependencyError, OutputError
from tests.export import networks

client = pytest.importorskip("huggingface_hub", reason="pip install 'glore_seg[hub]'")
safetensors = pytest.importorskip("safetensors.torch", reason="pip install 'glore_seg[hub]'")

FILES = ["README.md", "config.json", "model.safetensors"]


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture(scope="module")
def cfg():
    """A small segmentor in a complete config, which has all kinds of values."""
    cfg = load_config("configs/fcn_r18_glore_street-scenes.py", work_dir="somewhere")
    small = networks.segmentation(head={"num_classes": 19}).model
    cfg.model.decode_head = {**small.decode_head, "in_channels": 64, "in_index": 3}
    cfg.model.backbone.update(base_channels=8, stem_channels=8)
    return cfg


@pytest.fixture(scope="module")
def checkpoint(cfg, tmp_path_factory) -> Path:
    return networks.save(cfg, tmp_path_factory.mktemp("checkpoint") / "a.pth")


@pytest.fixture
def folder(cfg, checkpoint, tmp_path) -> Path:
    return save_pretrained(cfg, checkpoint, tmp_path / "net")


def test_folder_gives_the_same_network(cfg, checkpoint, folder):
    assert names(folder) == FILES
    model, original = from_pretrained(folder), load_model(cfg, checkpoint, device="cpu")
    assert not model.training
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(x, mode="tensor"), original(x, mode="tensor"))
    assert model.dataset_meta["classes"][:2] == ("road", "sidewalk")
    assert len(model.dataset_meta["palette"]) == 19
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: glore_seg\npipeline_tag: image-segmentation\n")
    for line in ("# GloReResNet + GloReHead", "| decode_head | `GloReHead` |", "0. road"):
        assert f"\n{line}\n" in card


def test_config_round_trip(cfg, folder):
    found, wanted = read_config(folder).to_dict(), cfg.to_dict()
    assert {wanted.pop(key) for key in ("work_dir", "launcher")} == {"somewhere", "none"}
    assert found == {k: v for k, v in wanted.items() if k not in ("load_from", "resume")}
    assert isinstance(found["train_pipeline"][0]["crop_size"], tuple)
    assert isinstance(found["model"]["data_preprocessor"]["mean"], list)


def test_overwrites_weights_but_not_the_card(cfg, checkpoint, folder):
    with pytest.raises(OutputError, match=r"net has model\.safetensors, config\.json, README"):
        save_pretrained(cfg, checkpoint, folder)
    (folder / "README.md").write_text("my own words")
    model = from_pretrained(folder)
    model.decode_head.conv_seg.bias.data.fill_(7.0)
    save_pretrained(cfg, model, folder, overwrite=True)
    assert from_pretrained(folder).decode_head.conv_seg.bias.eq(7).all()
    assert (folder / "README.md").read_text() == "my own words"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"type": "os.system", "command": "touch ran"}}, r"model\.type is 'os\.system'"),
        ({"custom_imports": {"imports": ["evil"]}}, "evil"),
        ({"crop_size": {"_tuple_": 3}}, r"config\.json is not a config"),
        ({"model": 3}, "model"),
        ({"filename": "x"}, "filename"),
        (b"[" * 100_000, r"config\.json is not a config"),
        (b"import os", r"config\.json is not a config"),
        (b"\xff\xfe\x00", "is not text"),
    ],
)
def test_rejects_hostile_and_corrupted_configs(folder, tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    file = folder / "config.json"
    if isinstance(change, bytes):
        file.write_bytes(change)
    else:
        file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(CheckpointError, match=message):
        from_pretrained(folder)
    assert names(tmp_path) == ["net"]


def test_rejects_other_weights(folder):
    file = folder / "model.safetensors"
    state = safetensors.load_file(file)
    state.pop("decode_head.conv_seg.bias")
    safetensors.save_file(state, file)
    with pytest.raises(CheckpointError, match=r"missing: decode_head.conv_seg.bias"):
        from_pretrained(folder)
    file.write_bytes(b"12345678")
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        from_pretrained(folder)
    file.unlink()
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors"):
        from_pretrained(folder)


def test_does_not_save_a_config_that_cannot_be_loaded(cfg, checkpoint, tmp_path):
    other = cfg.copy()
    other.custom_imports = {"imports": ["my_package"]}
    with pytest.raises(CheckpointError, match=r"custom_imports\.imports\.0 is 'my_package'"):
        save_pretrained(other, checkpoint, tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_neither_folder_nor_repository(folder, monkeypatch):
    with pytest.raises(ConfigError, match="no/such/folder"):
        fetch_pretrained("no/such/folder")
    with pytest.raises(ConfigError, match="'main'"):
        fetch_pretrained(folder, revision="main")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"huggingface_hub is not .*glore_seg\[hub\]"):
        from_pretrained("me/net")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder as the repository me/net; calls must fit the signatures of the hub's client."""
    remote = tmp_path / "remote"

    def copy(source, target, patterns):
        target.mkdir()
        for name in patterns:
            if (source / name).is_file():
                shutil.copy(source / name, target)
        return str(target)

    def upload(*, repo_id, folder_path, allow_patterns, commit_message):
        copy(folder_path, remote, allow_patterns)
        return SimpleNamespace(commit_url=f"https://hub/{repo_id}/commit/1")

    def download(repo_id, *, revision, allow_patterns):
        assert (repo_id, revision) == ("me/net", "v1")
        return copy(remote, Path(tempfile.mkdtemp(dir=tmp_path)) / "net", allow_patterns)

    api = create_autospec(client.HfApi, instance=True)
    api.upload_folder.side_effect = upload
    monkeypatch.setattr(client, "HfApi", lambda: api)
    monkeypatch.setattr(
        client, "snapshot_download", create_autospec(client.snapshot_download, side_effect=download)
    )
    return remote


def test_push_and_pull(hub, folder, tmp_path):
    (folder / "secret.py").write_text("password")
    assert push_to_hub(folder, "me/net") == "https://hub/me/net/commit/1"
    client.HfApi().create_repo.assert_called_once_with("me/net", private=True, exist_ok=True)
    assert names(hub) == FILES
    (hub / "evil.py").write_text("raise SystemExit")
    model, wanted = from_pretrained("me/net", revision="v1"), from_pretrained(folder)
    for name, value in wanted.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    pulled = pull_from_hub("me/net", tmp_path / "pulled", revision="v1")
    assert names(pulled) == FILES
    for name in FILES:
        assert (pulled / name).read_bytes() == (folder / name).read_bytes()
    with pytest.raises(OutputError, match="pulled has model"):
        pull_from_hub("me/net", pulled)


def test_a_hostile_config_is_not_pulled(hub, tmp_path):
    hub.mkdir()
    (hub / "config.json").write_text('{"model": {"type": "os.system"}}')
    (hub / "model.safetensors").write_bytes(b"1")
    with pytest.raises(CheckpointError, match=r"model\.type is 'os\.system'"):
        pull_from_hub("me/net", tmp_path / "pulled", revision="v1")
    assert not (tmp_path / "pulled").exists()
