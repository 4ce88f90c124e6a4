r"""BatchNorm with statistics over several processes, on any device.

Shape legend: B batch, C channels, n all values of a channel, over batch, positions, processes.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SynchronizedBatchNorm(_BatchNorm):
    r"""torch's ``SyncBatchNorm`` on any device; torch's needs a GPU.

        mean = sum x / n        var = sum (x - mean)^2 / n

    with sums over all processes, whose batches and images may differ in size. Parameters, buffers
    and options are those of ``BatchNorm2d``; in evaluation, or with one process, it is the same.

    Input and output are (B, C, ...).
    """

    process_group: dist.ProcessGroup | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalize."""
        group = group_to_sum_over(self)
        if group is None:
            return super().forward(x)
        axes = [0, *range(2, x.dim())]
        shape = [-1] + [1] * (x.dim() - 2)
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        count = wide.new_tensor([x.numel() // x.shape[1]])
        total = SumOverProcesses.apply(torch.cat([count, wide.sum(axes)]), group)
        count, mean = total[0].detach(), total[1:] / total[0].detach()  # (), (C,)
        centered = wide - mean.view(shape)
        var = SumOverProcesses.apply(centered.square().sum(axes), group) / count  # (C,)
        update_running_statistics(self, mean, var, count)
        scale = (var + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        out = centered * scale.view(shape)
        if self.bias is not None:
            out = out + self.bias.view(shape)
        return out.to(x.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        """Take any number of dimensions."""


def group_to_sum_over(norm: _BatchNorm) -> dist.ProcessGroup | None:
    """The processes that share a norm's statistics; None if there is only one."""
    # A tuple of types: torch 2.4 does not compile a union.
    if not (isinstance(norm, (nn.SyncBatchNorm, SynchronizedBatchNorm)) and norm.training):
        return None
    if not (dist.is_available() and dist.is_initialized()):
        return None
    group = norm.process_group or dist.group.WORLD
    return group if dist.get_world_size(group) > 1 else None


@torch.no_grad()
def update_running_statistics(
    norm: _BatchNorm, mean: Tensor, var: Tensor, count: int | Tensor
) -> None:
    """Update as BatchNorm does: unbiased variance, cumulative average if momentum is None.

    Args:
        norm: Unchanged outside training, or if it does not track statistics.
        mean: (C,).
        var: The biased variance, (C,).
        count: Number of values n of each channel.
    """
    if not (norm.training and norm.track_running_stats):
        return
    momentum: float | Tensor = 0.0 if norm.momentum is None else norm.momentum
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
        if norm.momentum is None:
            momentum = 1 / norm.num_batches_tracked.to(mean.dtype)
    if norm.running_mean is None or norm.running_var is None:
        return
    unbiased = var * (count / (count - 1))
    for running, found in ((norm.running_mean, mean), (norm.running_var, unbiased)):
        running.add_(momentum * (found.to(running.dtype) - running))


class SumOverProcesses(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: dist.ProcessGroup) -> Tensor:
        """Sum."""
        ctx.group = group
        total = values.clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Sum."""
        return SumOverProcesses.apply(grad, ctx.group), None
