r"""Statistics of a batch that is spread over processes: sums of C numbers, and a norm made of them.

Shape legend: B batch, C channels, n all values of a channel, over batch, positions, processes.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SynchronisedBatchNorm(_BatchNorm):
    r"""torch's ``SyncBatchNorm`` on any device; that one needs a GPU.

        mean = sum x / n        var = sum (x - mean)^2 / n

    are the sums of all processes, whose batches and pictures may be of different sizes. Parameters,
    buffers and options are those of ``BatchNorm2d``, and so is what it does in evaluation or alone.

    Input (B, C, ...) and output are of the same shape.

    Raises:
        ValueError: The input has no batch and channels.
    """

    process_group: dist.ProcessGroup | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        group = group_to_sum_over(self)
        if group is None:
            return super().forward(x)
        self._check_input_dim(x)
        axes = [0, *range(2, x.dim())]
        shape = [-1] + [1] * (x.dim() - 2)
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        count = wide.new_tensor([x.numel() // x.shape[1]])
        total = SumOverProcesses.apply(torch.cat([count, wide.sum(axes)]), group)
        count, mean = total[0].detach(), total[1:] / total[0].detach()  # (), (C,)
        centred = wide - mean.view(shape)
        var = SumOverProcesses.apply(centred.square().sum(axes), group) / count  # (C,)
        update_running_statistics(self, mean, var, count)
        scale = (var + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        out = centred * scale.view(shape)
        if self.bias is not None:
            out = out + self.bias.view(shape)
        return out.to(x.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(
                f"SynchronisedBatchNorm got an input of shape {tuple(input.shape)}; expected "
                "(B, C, ...)"
            )


def group_to_sum_over(norm: _BatchNorm) -> dist.ProcessGroup | None:
    """The processes whose samples a norm takes together; None where it is alone."""
    if not (isinstance(norm, (nn.SyncBatchNorm, SynchronisedBatchNorm)) and norm.training):
        return None
    if not (dist.is_available() and dist.is_initialized()):
        return None
    group = norm.process_group or dist.group.WORLD
    return group if dist.get_world_size(group) > 1 else None


@torch.no_grad()
def update_running_statistics(
    norm: _BatchNorm, mean: Tensor, var: Tensor, count: int | Tensor
) -> None:
    """As BatchNorm does: the unbiased variance, and the plain average where momentum is None.

    Args:
        norm: Whose statistics; nothing is done outside training or where it tracks none.
        mean: (C,).
        var: The biased variance, (C,).
        count: n.
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
