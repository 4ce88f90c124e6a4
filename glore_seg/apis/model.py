"""A trained network without a Runner, for images, reports and submissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from glore_seg.apis.config import load_config
from glore_seg.engine.hooks.setup_check_hook import check_state_dict, unwrap, warn_of_other_settings
from glore_seg.engine.runner import build_model
from glore_seg.errors import ConfigError
from glore_seg.utils.devices import usable_device


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what was written beside them.

    Args:
        path: The file.
        state_dict: Names to tensors on the CPU.
        meta: What the file says of itself, such as its config under ``cfg``.
    """

    path: Path
    state_dict: dict[str, Tensor] = field(repr=False)
    meta: dict[str, Any] = field(repr=False)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint of this project's or of mmengine's training.

    Args:
        path: A ``.safetensors`` file, or one of torch, which is read with ``weights_only=True``.

    Raises:
        ConfigError: It is not there.
        MissingDependencyError: It is a ``.safetensors`` file and the library is not installed.
        pickle.UnpicklingError: The file holds more than weights and training state, or is damaged.
        ConfigError: The file holds no weights, or it is a damaged ``.safetensors`` file.
    """
    path = Path(path)
    loaded = CheckpointLoader.load_checkpoint(str(path), map_location="cpu")
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise ConfigError(
            f"{path} holds no state_dict of names to tensors; give a checkpoint of training"
        )
    meta = loaded.get("meta") if state is not loaded else None
    return Checkpoint(path, state, meta if isinstance(meta, dict) else {})


def load_model(
    config: Config | str | Path,
    checkpoint: Checkpoint | str | Path,
    *,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Build the network of a config, fill it from a checkpoint, and set it to evaluate.

    Args:
        config: A config, or its file; one that :func:`use_tta` changed gives the network within
            its test-time augmentation.
        checkpoint: The weights of this very network, or their file for :func:`read_checkpoint`.
        device: Where the network goes. Default: the first GPU where there is one, else the CPU.

    Returns:
        The network; its ``test_step`` takes what a dataloader of the config gives.

    Raises:
        ConfigError: Config or checkpoint is not there.
        pickle.UnpicklingError: The file holds more than weights and training state, or is damaged.
        ConfigError: The file holds no weights, or those of another network.
    """
    cfg = config if isinstance(config, Config) else load_config(str(config))
    model = build_model(cfg)
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = read_checkpoint(checkpoint)
    state = checkpoint.state_dict
    network = unwrap(model)
    check_state_dict(network, state, source=str(checkpoint.path), strict=True)
    warn_of_other_settings(cfg, checkpoint.meta, source=str(checkpoint.path))
    # Not strict: the check allows an auxiliary head, which only training uses.
    network.load_state_dict({k.removeprefix("module."): v for k, v in state.items()}, strict=False)
    return model.to(usable_device(device)).eval()
