"""Loads a trained network without a Runner."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from glore_seg.apis.config import load_config
from glore_seg.engine.checkpoint_checks import check_state_dict, unwrap, warn_of_other_settings
from glore_seg.engine.runner import build_model
from glore_seg.errors import CheckpointError
from glore_seg.utils.devices import usable_device


@dataclass(frozen=True)
class Checkpoint:
    """A file's weights, on the CPU, and metadata of its training, such as its config (``cfg``)."""

    path: Path
    state_dict: dict[str, Tensor] = field(repr=False)
    meta: dict[str, Any] = field(repr=False)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``.safetensors`` file, or one of torch with ``weights_only=True``.

    Raises:
        CheckpointError: It is missing, corrupted, could run code, or holds no weights.
        MissingDependencyError: It is a ``.safetensors`` file and the library is not installed.
    """
    path = Path(path)
    loaded = CheckpointLoader.load_checkpoint(str(path), map_location="cpu")
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise CheckpointError(
            f"{path} has no state_dict of names to tensors; expected a checkpoint of a training"
        )
    meta = loaded.get("meta") if state is not loaded else None
    return Checkpoint(path, state, meta if isinstance(meta, dict) else {})


def load_model(
    config: Config | str | Path,
    checkpoint: Checkpoint | str | Path,
    *,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Build the network of a config (or its file), load its weights, set it to evaluation mode.

    After :func:`use_tta` the network is wrapped in its test-time augmentation. Default of
    ``device``: the first GPU, else the CPU.

    Raises:
        ConfigError: The config is missing.
        CheckpointError: As for :func:`read_checkpoint`, or the weights are of another network.
    """
    cfg = config if isinstance(config, Config) else load_config(str(config))
    model = build_model(cfg)
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = read_checkpoint(checkpoint)
    state = checkpoint.state_dict
    network = unwrap(model)
    check_state_dict(network, state, source=str(checkpoint.path), strict=True)
    warn_of_other_settings(cfg, checkpoint.meta, source=str(checkpoint.path))
    # Not strict: the check allows the weights of an auxiliary head, which only training uses.
    network.load_state_dict({k.removeprefix("module."): v for k, v in state.items()}, strict=False)
    return model.to(usable_device(device)).eval()
