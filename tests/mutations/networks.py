"""A network of kilobytes with its config, for readers that open networks."""

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
from glore_seg.checkpoints.configs import config_to_json
from glore_seg.engine import build_model
from glore_seg.utils.safetensors_io import write_safetensors
from tests.fixtures import STREET_SCENES


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
def used_config() -> Config:
    """What of the config is built when a checkpoint is opened."""
    cfg = small_config()
    return Config({key: cfg[key] for key in ("default_scope", "model", "test_dataloader")})


@cache
def config_json() -> bytes:
    """The same as JSON, in one line."""
    return json.dumps(json.loads(config_to_json(used_config(), source="ours"))).encode()


@cache
def weights() -> dict[str, torch.Tensor]:
    """Random weights of it."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_model(small_config()).state_dict()


def checkpoint_with(config: object) -> bytes:
    """A checkpoint of it that holds something as its config."""
    return saved({"state_dict": weights(), "meta": {"cfg": config}})


def saved(content: Any, **options: Any) -> bytes:
    """What torch writes."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def safetensors(state: dict[str, torch.Tensor], meta: dict[str, str]) -> bytes:
    """Weights in that format."""
    with tempfile.TemporaryDirectory() as folder:
        write_safetensors(Path(folder) / "a", state, meta)
        return (Path(folder) / "a").read_bytes()
