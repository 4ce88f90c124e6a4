"""Channels-last memory format and ``torch.compile``: faster, with the same results."""

from collections.abc import Iterator

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from glore_seg.engine.checkpoint_checks import unwrap
from glore_seg.errors import ConfigError


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keeps weights, and so feature maps, in the channels-last memory format.

    It is set after initialization and loading, so results are the same up to rounding.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        """Set the memory format of the weights."""
        # Only of weights: torch rejects a recognizer, whose mean and std have four axes.
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        for weight in runner.model.parameters():
            if weight.dim() in formats:
                weight.data = weight.data.contiguous(memory_format=formats[weight.dim()])

    before_test = before_train


def use_channels_last(cfg: Config) -> None:
    """Train and test in the channels-last memory format.

    Raises:
        ConfigError: The config has a fused optimizer, whose CPU kernel (torch 2.13) silently makes
            wrong steps where weights and momentum differ in layout, as after resuming.
    """
    if cfg.get("optim_wrapper", {}).get("optimizer", {}).get("fused"):
        raise ConfigError(
            "--channels-last with optim_wrapper.optimizer.fused=True; expected one of them: set "
            "fused=False, which costs little"
        )
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), {"type": "ChannelsLastHook"}]


def use_compile(runner: Runner) -> None:
    """Compile backbone, neck and the layers of the heads with ``torch.compile``, in place.

    Losses, preprocessing, the optimizer and checkpoints stay as they are. Each new image size
    compiles again.
    """
    for module in compilable_parts(unwrap(runner.model)):
        module.compile()


def compilable_parts(model: nn.Module) -> Iterator[nn.Module]:
    """The outermost modules of a segmentor that are called.

    mmsegmentation calls methods of a head, and the layers of a container one by one.
    """
    for name in ("backbone", "neck"):
        if getattr(model, name, None) is not None:
            yield getattr(model, name)
    for name in ("decode_head", "auxiliary_head"):
        head = getattr(model, name, None)
        for one in head if isinstance(head, nn.ModuleList) else [head]:
            for layer in one.children() if one is not None else ():
                if isinstance(layer, nn.ModuleList | nn.Sequential):
                    yield from layer.children()
                elif any(True for _ in layer.parameters()):
                    yield layer
