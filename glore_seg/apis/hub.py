"""Share a trained network as a folder, also through the Hugging Face hub.

The folder holds ``model.safetensors``, ``config.json`` (the resolved config, plain values) and a
model card, ``README.md``. Nothing in it is run on loading, see
:mod:`glore_seg.checkpoints.untrusted_config`.
"""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from glore_seg.apis.model import load_model
from glore_seg.apis.splits import read_metainfo
from glore_seg.checkpoints.configs import config_from_json, config_to_json, read_json_config
from glore_seg.engine.checkpoint_checks import check_state_dict, unwrap
from glore_seg.engine.runner import build_model
from glore_seg.errors import CheckpointError, ConfigError, OutputError
from glore_seg.utils.dependencies import require
from glore_seg.utils.files import atomic_write
from glore_seg.utils.safetensors_io import read_safetensors, write_safetensors

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
_FILES = (WEIGHTS, CONFIG, CARD)
_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+")
_PIPELINES = {"mmseg": "image-segmentation", "mmpretrain": "image-classification"}

_CARD = """---
library_name: glore_seg
{pipeline}tags:
- glore
- mmsegmentation
---

# {title}

A `{kind}` of {millions:.3f} M parameters, saved by
[glore_seg](https://arxiv.org/abs/1811.12814) (Graph-Based Global Reasoning Networks).

| part | class |
| --- | --- |
{rows}

## How to load it

```python
# pip install 'glore_seg[lite,hub]'
from glore_seg.apis.hub import from_pretrained

model = from_pretrained("OWNER/NAME")  # or this folder
```

## Classes

{classes}
"""


def save_pretrained(
    cfg: Config, weights: nn.Module | str | Path, folder: str | Path, *, overwrite: bool = False
) -> Path:
    """Write a network's (or checkpoint's) weights, config and model card to a folder; return it.

    ``overwrite`` replaces weights and config there; an existing card is kept.

    Raises:
        OutputError: One of the files exists and ``overwrite`` is off.
        MissingDependencyError: safetensors is not installed.
        CheckpointError: The checkpoint is missing or of another network, or the config holds more
            than plain values and registered names, so that nobody could load it.
    """
    folder = Path(folder)
    require("safetensors.torch", "hub")
    _check_absent(folder, overwrite=overwrite)
    text = config_to_json(cfg, source="the config")
    network = weights if isinstance(weights, nn.Module) else load_model(cfg, weights, device="cpu")
    model = unwrap(network)
    saved = config_from_json(text, source="the config")
    classes = read_metainfo(cfg).get("classes") or ()
    with atomic_write(folder / WEIGHTS) as temporary:
        # With the config's text, so that the file is complete outside the folder.
        write_safetensors(temporary, model.state_dict(), {"cfg": saved.pretty_text})
    with atomic_write(folder / CONFIG) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if not (folder / CARD).exists():
        with atomic_write(folder / CARD) as temporary:
            temporary.write_text(_write_card(cfg, model, classes), encoding="utf-8")
    return folder


def from_pretrained(
    source: str | Path, *, revision: str | None = None, device: torch.device | str = "cpu"
) -> nn.Module:
    """Build a network from a folder of :func:`save_pretrained`, or ``owner/name`` of the hub.

    ``revision`` is a branch, tag or commit of the repository; default: its main branch.

    The network is in evaluation mode, with ``cfg`` and ``dataset_meta`` as from mmseg's
    ``init_model``, so that ``mmseg.apis.inference_model`` takes it.

    Raises:
        MissingDependencyError: huggingface_hub or safetensors is not installed.
        ConfigError: Neither a folder nor ``owner/name``, or a folder with a revision.
        CheckpointError: A file is missing, corrupted, of another network, or could run code.
    """
    folder = fetch_pretrained(source, revision=revision)
    cfg = read_json_config(folder / CONFIG)
    state = read_safetensors(folder / WEIGHTS)
    model: Any = build_model(cfg)
    check_state_dict(model, state, source=str(folder / WEIGHTS), strict=True)
    model.load_state_dict(state, strict=False)  # the check allows an auxiliary head
    model.cfg = cfg
    model.dataset_meta = read_metainfo(cfg)
    return model.to(device).eval()


def fetch_pretrained(source: str | Path, *, revision: str | None = None) -> Path:
    """Return the folder of a network, downloaded to huggingface_hub's cache if it is not local.

    Raises:
        MissingDependencyError: huggingface_hub is not installed.
        ConfigError: Neither a folder nor ``owner/name``, or a folder with a revision.
        CheckpointError: The folder lacks a file.
    """
    if not Path(source).is_dir():
        return _download(str(source), revision)
    if revision is not None:
        raise ConfigError(f"{source} is a local folder, which has no revision {revision!r}")
    return _check_complete(Path(source))


def pull_from_hub(
    repo_id: str, folder: str | Path, *, revision: str | None = None, overwrite: bool = False
) -> Path:
    """Download ``owner/name`` from the hub into a folder, check its config, return the folder.

    Raises:
        OutputError: One of the files exists and ``overwrite`` is off.
        MissingDependencyError: huggingface_hub is not installed.
        ConfigError: ``repo_id`` is not ``owner/name``.
        CheckpointError: It lacks a file, or its config could run code.
    """
    folder = Path(folder)
    _check_absent(folder, overwrite=overwrite)
    fetched = _download(repo_id, revision)
    read_json_config(fetched / CONFIG)
    for name in _FILES:
        if (fetched / name).is_file():  # the card is optional
            with atomic_write(folder / name) as temporary:
                shutil.copyfile(fetched / name, temporary)
    return folder


def push_to_hub(
    folder: str | Path, repo_id: str, *, private: bool = True, message: str | None = None
) -> str:
    """Upload the three files of :func:`save_pretrained` to the hub; return the commit's URL.

    Log in first, by ``hf auth login`` or the variable ``HF_TOKEN``. The repository, ``owner/name``,
    is created if missing; ``message`` is the commit's.

    Raises:
        MissingDependencyError: huggingface_hub is not installed.
        CheckpointError: The folder lacks a file, or its config could run code.
    """
    folder = _check_complete(Path(folder))
    read_json_config(folder / CONFIG)
    hub = require("huggingface_hub", "hub").HfApi()
    hub.create_repo(repo_id, private=private, exist_ok=True)
    commit = hub.upload_folder(
        repo_id=repo_id, folder_path=folder, allow_patterns=list(_FILES), commit_message=message
    )
    return str(commit.commit_url)


def _download(repo_id: str, revision: str | None) -> Path:
    if not _REPO_ID.fullmatch(repo_id):
        raise ConfigError(
            f"{repo_id!r} is neither a folder here nor a repository; expected owner/name of the hub"
        )
    hub = require("huggingface_hub", "hub")
    folder = hub.snapshot_download(repo_id, revision=revision, allow_patterns=list(_FILES))
    return _check_complete(Path(folder))


def _check_absent(folder: Path, *, overwrite: bool) -> None:
    existing = [name for name in _FILES if (folder / name).exists()]
    if existing and not overwrite:
        raise OutputError(
            f"{folder} has {', '.join(existing)} already; give another folder, or --overwrite"
        )


def _check_complete(folder: Path) -> Path:
    missing = [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder} has no {' and no '.join(missing)}; expected a folder of save_pretrained: "
            "create one by tools/model_converters/hub.py save"
        )
    return folder


def _write_card(cfg: Config, model: nn.Module, classes: Sequence[str]) -> str:
    pipeline = _PIPELINES.get(cfg.get("default_scope") or "mmseg")
    parts = {
        name: type(part).__name__
        for name in ("backbone", "neck", "decode_head", "head")
        if isinstance(part := getattr(model, name, None), nn.Module)
    }
    return _CARD.format(
        pipeline=f"pipeline_tag: {pipeline}\n" if pipeline else "",
        title=_escape(" + ".join(parts.values()) or type(model).__name__),
        kind=type(model).__name__,
        millions=sum(p.numel() for p in model.parameters()) / 1e6,
        rows="\n".join(f"| {name} | `{kind}` |" for name, kind in parts.items()),
        classes="\n".join(f"{i}. {_escape(name)}" for i, name in enumerate(classes)) or "Unnamed.",
    )


def _escape(text: str) -> str:
    """Escape a name, so that it is not read as markup."""
    return json.dumps(str(text), ensure_ascii=False)[1:-1].replace("<", "&lt;").replace("|", "\\|")
