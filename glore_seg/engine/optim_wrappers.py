"""Mixed precision in bfloat16, on CPUs and Apple's GPUs too."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """mmengine's ``OptimWrapper`` with autocast to bfloat16, which needs no loss scaling.

    mmengine's ``AmpOptimWrapper`` needs a GPU; this one does not.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The parent's gradient accumulation, and autocast."""
        # mmengine's autocast refuses mps
        with super().optim_context(model), torch.autocast(get_device(), dtype=torch.bfloat16):
            yield
