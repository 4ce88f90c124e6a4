"""A network of kilobytes with its config, for readers that open networks."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.checkpoints.json_config import config_to_json
from glore_seg.engine import build_model
from glore_seg.utils.safetensors_io import write_safetensors
from tests.engine.conftest import STREET_SCENES


@cache
def small_config() -> Config:
    """The street scenes' network of a few channels; its data are nowhere."""
    loader = {"num_workers": 0, "persistent_workers": False, "dataset": {"data_root": "nowhere"}}
    loaders = {f"{split}_dataloader": loader for split in ("train", "val", "test")}
    cfg = load_config(str(STREET_SCENES), cfg_options={**SMALL_NETWORK, **loaders})
    for key in ("work_dir", "experiment_name", "launcher"):
        cfg._cfg_dict.pop(key, None)
    return cfg


@cache
def config_text() -> str:
    """What of the config is built when a checkpoint is opened, as mmengine writes it."""
    cfg = small_config()
    used = {key: cfg[key] for key in ("default_scope", "model", "test_dataloader")}
    return Config(used).pretty_text


@cache
def whole_text() -> str:
    """All of the config, as mmengine writes it."""
    return small_config().pretty_text


@cache
def config_json() -> dict[str, Any]:
    """The same as JSON."""
    cfg = small_config()
    used = {key: cfg[key] for key in ("default_scope", "model", "test_dataloader")}
    return json.loads(config_to_json(Config(used), source="ours"))


@cache
def weights() -> dict[str, torch.Tensor]:
    """Random weights of it."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_model(small_config()).state_dict()


def checkpoint_with(text: object) -> bytes:
    """A checkpoint of it that holds a text as its config."""
    file = io.BytesIO()
    torch.save({"state_dict": weights(), "meta": {"cfg": text}}, file)
    return file.getvalue()


@cache
def safetensors() -> bytes:
    """Its weights in that format."""
    with tempfile.TemporaryDirectory() as folder:
        write_safetensors(Path(folder) / "a", weights(), {})
        return (Path(folder) / "a").read_bytes()
