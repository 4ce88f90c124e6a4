"""Networks that travel as folders, and by the hub's own library over HTTP."""

import json
import os
import sys
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
    read_config,
    save_pretrained,
)
from glore_seg.errors import GloReSegError, MissingDependencyError
from tests.apis.hub_stand_in import REVISION, Hub
from tests.export import networks

constants = pytest.importorskip("huggingface_hub.constants", reason="pip install 'glore_seg[hub]'")
safetensors = pytest.importorskip("safetensors.torch", reason="pip install 'glore_seg[hub]'")

FILES = ["README.md", "config.json", "model.safetensors"]


@pytest.fixture(scope="module")
def cfg():
    """A small segmentor within a whole config, which has all kinds of values."""
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


def test_a_folder_gives_the_same_network(cfg, checkpoint, folder):
    assert sorted(file.name for file in folder.iterdir()) == FILES
    model = from_pretrained(folder)
    original = load_model(cfg, checkpoint, device="cpu")
    assert not model.training
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(x, mode="tensor"), original(x, mode="tensor"))
    assert model.dataset_meta["classes"][:2] == ("road", "sidewalk")
    assert len(model.dataset_meta["palette"]) == 19


def test_the_config_comes_back_as_it_was(cfg, folder):
    plain = json.loads((folder / "config.json").read_text())
    assert plain["model"]["type"] == "EncoderDecoder"
    found = read_config(folder).to_dict()
    wanted = cfg.to_dict()
    assert {wanted.pop(key) for key in ("work_dir", "launcher")} == {"somewhere", "none"}
    assert found == {k: v for k, v in wanted.items() if k not in ("load_from", "resume")}
    # Tuples as well, which a comparison of lists with them finds: (1,) != [1].
    assert isinstance(found["train_pipeline"][0]["crop_size"], tuple)
    assert isinstance(found["model"]["data_preprocessor"]["mean"], list)


def test_the_card_says_what_it_is(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: glore_seg\npipeline_tag: image-segmentation\n")
    for line in ("# GloReResNet + GloReHead", "| decode_head | `GloReHead` |", "0. road"):
        assert f"\n{line}\n" in card


def test_a_network_in_memory_and_what_is_there(cfg, checkpoint, folder):
    with pytest.raises(GloReSegError, match=r"net has model\.safetensors, config\.json, README"):
        save_pretrained(cfg, checkpoint, folder)
    (folder / "README.md").write_text("my own words")
    model = from_pretrained(folder)
    model.decode_head.conv_seg.bias.data.fill_(7.0)
    save_pretrained(cfg, model, folder, overwrite=True)
    assert from_pretrained(folder).decode_head.conv_seg.bias.eq(7).all()
    assert (folder / "README.md").read_text() == "my own words"


def test_hostile_and_damaged_folders_are_refused(folder, tmp_path):
    plain = json.loads((folder / "config.json").read_text())
    mark = tmp_path / "ran"
    hostile = {**plain, "model": {"type": "os.system", "command": f"touch {mark}"}}
    for text, message in (
        (json.dumps(hostile), r"config\.json: model\.type is 'os\.system', .*Nothing was built"),
        (json.dumps({**plain, "custom_imports": {"imports": ["evil"]}}), "expected modules of"),
        (json.dumps({**plain, "_tuples_": 3}), "_tuples_ is no list of pointers"),
        (json.dumps({"model": 3}), r"config\.json is not read \(no config with a model\)"),
        ("[" * 100_000, r"config\.json is not read"),
        ("import os", r"config\.json is not read .*as save_pretrained writes it"),
        (json.dumps({**plain, "filename": "x"}), r"config\.json is no config"),
    ):
        (folder / "config.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            from_pretrained(folder)
    assert not mark.exists()
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is no text"):
        from_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(plain))
    state = safetensors.load_file(folder / "model.safetensors")
    state.pop("decode_head.conv_seg.bias")
    safetensors.save_file(state, folder / "model.safetensors")
    with pytest.raises(
        ValueError, match=r"of another network .*missing: decode_head.conv_seg.bias"
    ):
        from_pretrained(folder)
    (folder / "model.safetensors").write_bytes(b"12345678")
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"has no model\.safetensors; expected a folder as"):
        from_pretrained(folder)


def test_a_config_that_nobody_could_load_is_not_saved(cfg, checkpoint, tmp_path):
    other = cfg.copy()
    other.custom_imports = {"imports": ["my_package"]}
    with pytest.raises(ValueError, match=r"custom_imports\.imports\.0 is 'my_package'"):
        save_pretrained(other, checkpoint, tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_neither_folder_nor_repository(folder):
    with pytest.raises(GloReSegError, match="is no folder here; expected one, or a repository"):
        fetch_pretrained("no/such/folder")
    with pytest.raises(ValueError, match="is a folder, and revision is 'main'; expected none"):
        fetch_pretrained(folder, revision="main")
    with pytest.raises(ValueError, match="repository is 'net'; expected owner/name"):
        push_to_hub(folder, "net")


def test_the_library_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"huggingface_hub is not .*glore_seg\[hub\]"):
        from_pretrained("me/net")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The library's own client, turned to a server here."""
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


def test_what_the_hub_refuses(hub, folder, tmp_path):
    with pytest.raises(OSError, match=r"the hub does not give you/other \(.*'hf auth login'"):
        from_pretrained("you/other")
    hub.files = {"config.json": b'{"model": {"type": "os.system"}}', "model.safetensors": b"1"}
    with pytest.raises(ValueError, match=r"model\.type is 'os\.system'"):
        pull_from_hub("me/net", tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()
