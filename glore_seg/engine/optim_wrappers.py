"""Mixed precision in bfloat16, on the CPU as well."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the forward pass under autocast in bfloat16, whose range needs no loss scaling.

    mmengine's ``AmpOptimWrapper`` refuses to work without a GPU; this one works on both. Takes
    the arguments of mmengine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Gradient accumulation of the parent class, and autocast."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
