"""Folders of networks, and the hub's own client with a local server."""

import json
import os
import threading
from pathlib import Path

import pytest
import torch

from glore_seg.apis import load_config, load_model
from glore_seg.apis.hub import (
    fetch_pretrained,
    from_pretrained,
    pull_from_hub,
    push_to_hub,
    save_pretrained,
)
from glore_seg.checkpoints.configs import read_json_config
from glore_seg.errors import (
    CheckpointError,
    ConfigError,
    GloReSegError,
)
from tests.apis.hub_stand_in import REVISION, Hub
from tests.export import networks

constants = pytest.importorskip("huggingface_hub.constants", reason="pip install 'glore_seg[hub]'")
safetensors = pytest.importorskip("safetensors.torch", reason="pip install 'glore_seg[hub]'")

FILES = ["README.md", "config.json", "model.safetensors"]


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
    assert sorted(file.name for file in folder.iterdir()) == FILES
    model = from_pretrained(folder)
    original = load_model(cfg, checkpoint, device="cpu")
    assert not model.training
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(x, mode="tensor"), original(x, mode="tensor"))
    assert model.dataset_meta["classes"][:2] == ("road", "sidewalk")
    assert len(model.dataset_meta["palette"]) == 19


def test_config_round_trip(cfg, folder):
    plain = json.loads((folder / "config.json").read_text())
    assert plain["model"]["type"] == "EncoderDecoder"
    found = read_json_config(folder / "config.json").to_dict()
    wanted = cfg.to_dict()
    assert {wanted.pop(key) for key in ("work_dir", "launcher")} == {"somewhere", "none"}
    assert found == {k: v for k, v in wanted.items() if k not in ("load_from", "resume")}
    assert isinstance(found["train_pipeline"][0]["crop_size"], tuple)
    assert isinstance(found["model"]["data_preprocessor"]["mean"], list)


def test_model_card(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: glore_seg\npipeline_tag: image-segmentation\n")
    for line in ("# GloReResNet + GloReHead", "| decode_head | `GloReHead` |", "0. road"):
        assert f"\n{line}\n" in card


def test_overwrites_weights_but_not_the_card(cfg, checkpoint, folder):
    with pytest.raises(GloReSegError, match=r"net has model\.safetensors, config\.json, README"):
        save_pretrained(cfg, checkpoint, folder)
    (folder / "README.md").write_text("my own words")
    model = from_pretrained(folder)
    model.decode_head.conv_seg.bias.data.fill_(7.0)
    save_pretrained(cfg, model, folder, overwrite=True)
    assert from_pretrained(folder).decode_head.conv_seg.bias.eq(7).all()
    assert (folder / "README.md").read_text() == "my own words"


def test_rejects_hostile_and_corrupted_folders(folder, tmp_path):
    plain = json.loads((folder / "config.json").read_text())
    mark = tmp_path / "ran"
    hostile = {**plain, "model": {"type": "os.system", "command": f"touch {mark}"}}
    for text, value in (
        (json.dumps(hostile), r"model\.type is 'os\.system'"),
        (json.dumps({**plain, "custom_imports": {"imports": ["evil"]}}), "evil"),
        (json.dumps({**plain, "crop_size": {"_tuple_": 3}}), r"config\.json is not a config"),
        (json.dumps({"model": 3}), "it has no model"),
        ("[" * 100_000, r"config\.json is not a config"),
        ("import os", r"config\.json is not a config"),
        (json.dumps({**plain, "filename": "x"}), "filename"),
    ):
        (folder / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match=value):
            from_pretrained(folder)
    assert not mark.exists()
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match="is not text"):
        from_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(plain))
    state = safetensors.load_file(folder / "model.safetensors")
    state.pop("decode_head.conv_seg.bias")
    safetensors.save_file(state, folder / "model.safetensors")
    with pytest.raises(GloReSegError, match=r"missing: decode_head.conv_seg.bias"):
        from_pretrained(folder)
    (folder / "model.safetensors").write_bytes(b"12345678")
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors"):
        from_pretrained(folder)


def test_does_not_save_a_config_that_cannot_be_loaded(cfg, checkpoint, tmp_path):
    other = cfg.copy()
    other.custom_imports = {"imports": ["my_package"]}
    with pytest.raises(ValueError, match=r"custom_imports\.imports\.0 is 'my_package'"):
        save_pretrained(other, checkpoint, tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_neither_folder_nor_repository(folder):
    with pytest.raises(ConfigError, match="no/such/folder"):
        fetch_pretrained("no/such/folder")
    with pytest.raises(ConfigError, match="'main'"):
        fetch_pretrained(folder, revision="main")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The library's own client, with a local server."""
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setitem(os.environ, "HF_TOKEN", "hf_of_nobody")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_push_and_pull(hub, folder, tmp_path):
    (folder / "secret.py").write_text("password")
    assert push_to_hub(folder, "me/net") == f"{hub.address}/me/net/commit/1"
    assert sorted(hub.files) == FILES
    hub.files["evil.py"] = b"raise SystemExit"

    model = from_pretrained("me/net", revision="main")
    wanted = from_pretrained(folder).state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())
    pull_from_hub("me/net", tmp_path / "pulled")
    assert sorted(file.name for file in (tmp_path / "pulled").iterdir()) == FILES
    for name in FILES:
        assert (tmp_path / "pulled" / name).read_bytes() == (folder / name).read_bytes()
    assert REVISION in str(fetch_pretrained("me/net"))
    assert not any("evil.py" in path for path in hub.asked)
    with pytest.raises(GloReSegError, match="pulled has model"):
        pull_from_hub("me/net", tmp_path / "pulled")


def test_unknown_repository_and_hostile_config(hub, folder, tmp_path):
    with pytest.raises(OSError, match=r"404|locate the files"):  # differs between releases
        from_pretrained("you/other")
    hub.files = {"config.json": b'{"model": {"type": "os.system"}}', "model.safetensors": b"1"}
    with pytest.raises(ValueError, match=r"model\.type is 'os\.system'"):
        pull_from_hub("me/net", tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()
