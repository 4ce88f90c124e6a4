"""A trained network without a Runner, for pictures, reports and submissions."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import CheckpointLoader
from torch import nn

from glore_seg.engine.config import load_config
from glore_seg.engine.runner import build_model
from glore_seg.engine.setup_check_hook import check_state_dict, unwrap


def load_model(
    config: Config | str | Path,
    checkpoint: str | Path,
    *,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Build the network of a config, fill it from a checkpoint, and set it to evaluate.

    The checkpoint is read with ``weights_only=True``.

    Args:
        config: A config, or its file; one that :func:`use_tta` changed gives the network within
            its test-time augmentation.
        checkpoint: File with the weights of this very network.
        device: Where the network goes. Default: the first GPU where there is one, else the CPU.

    Returns:
        The network; its ``test_step`` takes what a dataloader of the config gives.

    Raises:
        FileNotFoundError: Config or checkpoint is not there.
        pickle.UnpicklingError: The file holds more than weights and training state.
        ValueError: The file holds no weights, or those of another network.
    """
    cfg = config if isinstance(config, Config) else load_config(str(config))
    model = build_model(cfg)
    loaded = CheckpointLoader.load_checkpoint(str(checkpoint), map_location="cpu")
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise ValueError(
            f"{checkpoint} holds no state_dict of names to tensors; give a checkpoint of training"
        )
    network = unwrap(model)
    check_state_dict(network, state, source=str(checkpoint), strict=True)
    # Not strict: the check allows an auxiliary head, which only training uses.
    network.load_state_dict({k.removeprefix("module."): v for k, v in state.items()}, strict=False)
    return model.to(device or get_device()).eval()
