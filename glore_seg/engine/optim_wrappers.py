"""Mixed precision in bfloat16, on CPUs too."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """mmengine's ``OptimWrapper`` with autocast to bfloat16, which needs no loss scaling.

    mmengine's ``AmpOptimWrapper`` needs a GPU; this one does not.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The parent's gradient accumulation, and autocast."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
