"""Options that make training and testing faster and change nothing else."""

from collections.abc import Iterator

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from glore_seg.compat.torch_api import require_torch
from glore_seg.engine.hooks.setup_check_hook import unwrap
from glore_seg.errors import ConfigError


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keeps the network's weights, and with them its feature maps, with the channels last.

    Convolutions then rearrange nothing on CPUs and on tensor cores. Weights are initialized and
    loaded before, so that results are those of the other layout up to rounding.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        """Rearrange the weights."""
        # Weights alone: torch refuses a whole recognizer, whose mean and std have four axes.
        layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
        for weight in runner.model.parameters():
            if weight.dim() in layouts:
                weight.data = weight.data.contiguous(memory_format=layouts[weight.dim()])

    before_test = before_train


def use_channels_last(cfg: Config) -> None:
    """Train and test with the channels last.

    Raises:
        ConfigError: If the config asks for a fused optimizer, whose kernel on CPUs (torch 2.13)
            makes wrong steps in silence where weights and momentum differ in layout, as they do
            after resuming.
    """
    if cfg.get("optim_wrapper", {}).get("optimizer", {}).get("fused"):
        raise ConfigError(
            "--channels-last with optim_wrapper.optimizer.fused=True; expected one of them: set "
            "fused=False, whose cost is small beside the convolutions'"
        )
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), {"type": "ChannelsLastHook"}]


def use_compile(runner: Runner) -> None:
    """Compile backbone, neck and the layers of the heads with ``torch.compile``, where they run.

    Losses, data preprocessing and the optimizer stay as they are, and so do checkpoints: modules
    are compiled in place. Every further size of image compiles once more.

    Raises:
        MissingDependencyError: torch is older than 2.4.
    """
    require_torch("--compile")
    for module in compilable_parts(unwrap(runner.model)):
        module.compile()


def compilable_parts(model: nn.Module) -> Iterator[nn.Module]:
    """Give the parts of a segmentor that are run by being called, outermost first.

    mmsegmentation runs a head by its methods, and a container of layers one by one: of these, the
    layers within.
    """
    for name in ("backbone", "neck"):
        part = getattr(model, name, None)
        if part is not None:
            yield part
    for name in ("decode_head", "auxiliary_head"):
        head = getattr(model, name, None)
        for one in head if isinstance(head, nn.ModuleList) else [head]:
            for layer in one.children() if one is not None else ():
                if isinstance(layer, nn.ModuleList | nn.Sequential):
                    yield from layer.children()
                elif any(True for _ in layer.parameters()):
                    yield layer
