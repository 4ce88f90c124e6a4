"""A trained network as a folder that can be shared, also through the Hugging Face hub.

The folder holds ``model.safetensors``, ``config.json`` (the resolved config, plain values) and a
model card, ``README.md``. Nothing in it is a program, and nothing of it is run on loading: see
:mod:`glore_seg.checkpoints.untrusted_config`.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from torch import nn

from glore_seg.apis.model import load_model
from glore_seg.apis.splits import plain_dataset
from glore_seg.checkpoints.json_config import (
    config_from_json,
    config_to_json,
    read_json_config,
)
from glore_seg.checkpoints.model_card import write_card
from glore_seg.engine.hooks.setup_check_hook import check_state_dict, unwrap
from glore_seg.engine.runner import build_model
from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.dependencies import require
from glore_seg.utils.files import atomic_write
from glore_seg.utils.safetensors_io import read_safetensors, write_safetensors

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
_FILES = (WEIGHTS, CONFIG, CARD)
_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+")


def save_pretrained(
    cfg: Config, weights: nn.Module | str | Path, folder: str | Path, *, overwrite: bool = False
) -> Path:
    """Write a network's weights, config and card to a folder.

    Args:
        cfg: Its config.
        weights: The network of that config, or a checkpoint of it.
        folder: Where to; made where missing.
        overwrite: Whether files of these names may be replaced; a card that is there stays.

    Returns:
        The folder.

    Raises:
        OutputError: One of the files is there and ``overwrite`` is off.
        ConfigError: The checkpoint is not there.
        MissingDependencyError: safetensors is not installed.
        ConfigError: The checkpoint is of another network, or the config holds more than plain
            values and registered names, so that nobody could load it.
    """
    folder = Path(folder)
    require("safetensors.torch", "hub")
    _check_absent(folder, overwrite=overwrite)
    text = config_to_json(cfg, source="the config")
    network = weights if isinstance(weights, nn.Module) else load_model(cfg, weights, device="cpu")
    model = unwrap(network)
    saved = config_from_json(text, source="the config")
    classes = _metainfo(cfg).get("classes") or ()
    with atomic_write(folder / WEIGHTS) as aside:
        # The config's text makes a file that is taken out of the folder whole.
        write_safetensors(aside, model.state_dict(), {"cfg": saved.pretty_text})
    with atomic_write(folder / CONFIG) as aside:
        aside.write_text(text, encoding="utf-8")
    if not (folder / CARD).exists():
        with atomic_write(folder / CARD) as aside:
            aside.write_text(write_card(cfg, model, classes), encoding="utf-8")
    return folder


def from_pretrained(
    source: str | Path,
    *,
    revision: str | None = None,
    device: torch.device | str = "cpu",
) -> nn.Module:
    """Build a network from a folder of :func:`save_pretrained` or from the hub.

    Args:
        source: A folder, or a repository ``owner/name`` of the Hugging Face hub.
        revision: Branch, tag or commit of the repository. Default: its main branch.
        device: Where the network goes.

    Returns:
        The network, set to evaluate, with ``cfg`` and ``dataset_meta`` as mmseg's ``init_model``
        leaves them, so that ``mmseg.apis.inference_model`` takes it.

    Raises:
        OutputError: Neither a folder nor a repository that can be fetched.
        MissingDependencyError: huggingface_hub or safetensors is not installed.
        ConfigError: A file is damaged, could run code, or the weights are of another network.
    """
    folder = fetch_pretrained(source, revision=revision)
    cfg = read_config(folder)
    state = read_safetensors(folder / WEIGHTS)
    model: Any = build_model(cfg)
    check_state_dict(model, state, source=str(folder / WEIGHTS), strict=True)
    model.load_state_dict(state, strict=False)  # the check allows an auxiliary head
    model.cfg = cfg
    model.dataset_meta = _metainfo(cfg)
    return model.to(device).eval()


def fetch_pretrained(source: str | Path, *, revision: str | None = None) -> Path:
    """Return the folder of a network, fetched from the hub unless it is one here.

    Of a repository three files are fetched, by their names, to huggingface_hub's cache.

    Args:
        source: See :func:`from_pretrained`.
        revision: See there.

    Raises:
        OutputError: Neither a folder nor a repository that can be fetched.
        MissingDependencyError: huggingface_hub is not installed.
        ConfigError: A folder with a revision, or without the files.
    """
    if not Path(source).is_dir():
        if not _REPO_ID.fullmatch(str(source)):
            raise ConfigError(
                f"{source} is no folder here; expected one, or a repository owner/name of the hub"
            )
        return _download(str(source), revision)
    if revision is not None:
        raise ConfigError(
            f"{source} is a folder, and revision is {revision!r}; expected none, which only "
            "repositories have"
        )
    return _checked(Path(source))


def pull_from_hub(
    repo_id: str, folder: str | Path, *, revision: str | None = None, overwrite: bool = False
) -> Path:
    """Fetch a network from the hub into a folder, and check its config.

    Args:
        repo_id: ``owner/name``.
        folder: Where to; made where missing.
        revision: See :func:`from_pretrained`.
        overwrite: Whether files of these names may be replaced.

    Returns:
        The folder.

    Raises:
        OutputError: One of the files is there and ``overwrite`` is off.
        OutputError: The repository cannot be fetched.
        MissingDependencyError: huggingface_hub is not installed.
        ConfigError: It lacks a file, its config could run code, or ``repo_id`` is none.
    """
    folder = Path(folder)
    _check_repo_id(repo_id)
    _check_absent(folder, overwrite=overwrite)
    fetched = _download(repo_id, revision)
    read_config(fetched)
    for name in _FILES:
        if (fetched / name).is_file():  # the card need not be
            with atomic_write(folder / name) as aside:
                shutil.copyfile(fetched / name, aside)
    return folder


def push_to_hub(
    folder: str | Path, repo_id: str, *, private: bool = True, message: str | None = None
) -> str:
    """Send a folder of :func:`save_pretrained` to the hub.

    Log in first, by ``hf auth login`` or the variable ``HF_TOKEN``.

    Args:
        folder: The folder; of it only the three files are sent.
        repo_id: ``owner/name``; the repository is made where missing.
        private: Whether a repository made now is to be private.
        message: Of the commit. Default: huggingface_hub's.

    Returns:
        The address of the commit.

    Raises:
        OutputError: The hub refuses.
        MissingDependencyError: huggingface_hub is not installed.
        ConfigError: The folder lacks a file, its config could run code, or ``repo_id`` is none.
    """
    folder = _checked(Path(folder))
    read_config(folder)  # what nobody would load is not sent
    _check_repo_id(repo_id)
    hub = require("huggingface_hub", "hub").HfApi()
    try:
        hub.create_repo(repo_id, private=private, exist_ok=True)
        commit = hub.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            allow_patterns=list(_FILES),
            commit_message=message,
        )
    except (OSError, ValueError) as error:
        raise OutputError(
            f"the hub does not take {folder} as {repo_id} ({_first_line(error)}); expected an "
            "owner that you may write for: log in by 'hf auth login'"
        ) from error
    return str(commit.commit_url)


def read_config(folder: Path) -> Config:
    """Read and check the config of a folder.

    Raises:
        ConfigError: It is no config, or could run code when something is built from it.
    """
    return read_json_config(folder / CONFIG)


def _download(repo_id: str, revision: str | None) -> Path:
    hub = require("huggingface_hub", "hub")
    try:
        folder = hub.snapshot_download(repo_id, revision=revision, allow_patterns=list(_FILES))
    except (OSError, ValueError) as error:
        raise OutputError(
            f"the hub does not give {repo_id} ({_first_line(error)}); expected owner/name of a "
            "repository that you may read, or a folder here: check its name and revision, and log "
            "in by 'hf auth login' where it is private"
        ) from error
    return _checked(Path(folder))


def _check_repo_id(repo_id: str) -> None:
    if not _REPO_ID.fullmatch(repo_id):
        raise ConfigError(f"repository is {repo_id!r}; expected owner/name")


def _check_absent(folder: Path, *, overwrite: bool) -> None:
    there = [name for name in _FILES if (folder / name).exists()]
    if there and not overwrite:
        raise OutputError(
            f"{folder} has {', '.join(there)} already; give another folder, or say --overwrite"
        )


def _checked(folder: Path) -> Path:
    missing = [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"{folder} has no {' and no '.join(missing)}; expected a folder as save_pretrained "
            "writes it: make one by tools/model_converters/hub.py save"
        )
    return folder


def _metainfo(cfg: Config) -> dict[str, Any]:
    init_default_scope(cfg.get("default_scope") or "mmseg")
    # Not opened: the data need not be there.
    return dict(DATASETS.build({**plain_dataset(cfg, "test"), "lazy_init": True}).metainfo)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
