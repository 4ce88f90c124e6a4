r"""BatchNorm of a map that is never computed: E = U (B - mu) + m from its small factors.

With Sigma, the covariance of B over the positions of one sample, and m_b = U_b mu_b:

    mean = avg_b m_b        var = avg_b diag(U_b Sigma_b U_b^T) + avg_b (m_b - mean)^2

which is exactly what BatchNorm takes over batch and positions of E. Across processes, as in
SyncBatchNorm, only sums of C numbers are exchanged.

Shape legend: B batch, C channels, L positions, N nodes.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def takes_batch_statistics(norm: nn.Module) -> bool:
    """Whether ``norm`` is a BatchNorm that normalises by the statistics of the batch at hand."""
    return isinstance(norm, _BatchNorm) and (norm.training or norm.running_mean is None)


def is_synchronised(norm: nn.Module) -> bool:
    """Whether ``norm`` takes its statistics over several processes."""
    return isinstance(norm, _BatchNorm) and _group_to_sum_over(norm) is not None


def is_foldable(norm: nn.Module) -> bool:
    """Whether ``norm`` is nothing but BatchNorm, SyncBatchNorm or Identity, which fold into U."""
    if type(norm) is nn.Identity:
        return True
    forwards = (_BatchNorm.forward, nn.SyncBatchNorm.forward)
    return isinstance(norm, _BatchNorm) and type(norm).forward in forwards


def fold_norm(
    norm: nn.Module, weight: Tensor, mean: Tensor, sigma: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Fold ``norm`` into the factors of the map that it would normalise, and update its statistics.

    Args:
        norm: A norm that :func:`is_foldable`.
        weight: U, (B, C, N).
        mean: m, the mean of the map over positions, (B, C).
        sigma: Sigma, (B, N, N); not used unless the norm :func:`takes_batch_statistics`.
        length: L.

    Returns:
        P (B, C, N) and t (B, C), of which the normalised map is P (B - mu) + t.
    """
    if not isinstance(norm, _BatchNorm):
        return weight, mean
    if norm.running_mean is None or norm.running_var is None or norm.training:
        centre, var = _batch_statistics(norm, weight, mean, sigma, length)  # (C,) each
    else:
        centre, var = norm.running_mean.to(mean.dtype), norm.running_var.to(mean.dtype)
    scale = (var + norm.eps).rsqrt()  # (C,)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = (mean - centre) * scale  # (B, C)
    if norm.bias is not None:
        shift = shift + norm.bias
    return weight * scale[:, None], shift


def _batch_statistics(
    norm: _BatchNorm, weight: Tensor, mean: Tensor, sigma: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over batch, positions and processes, (C,) each."""
    within = (torch.bmm(weight, sigma) * weight).sum(2)  # diag(U Sigma U^T), (B, C)
    group = _group_to_sum_over(norm)
    if group is None:
        if mean.shape[0] * length == 1:
            raise ValueError(
                f"{type(norm).__name__} in training needs more than one value a channel, got one "
                "sample of one position: give a larger batch or input"
            )
        centre = mean.mean(0)  # (C,)
        var = (within + (mean - centre).square()).mean(0)  # (C,)
        count: int | Tensor = mean.shape[0] * length
    else:
        # Samples of other processes may be of other sizes.
        counts = mean.new_tensor([mean.shape[0] * length])
        total = _SumOverProcesses.apply(torch.cat([counts, mean.sum(0) * length]), group)
        count, centre = total[0].detach(), total[1:] / total[0].detach()
        spread = (within + (mean - centre).square()).sum(0) * length
        var = _SumOverProcesses.apply(spread, group) / count
    _update_running_statistics(norm, centre, var, count)
    return centre, var


@torch.no_grad()
def _update_running_statistics(
    norm: _BatchNorm, mean: Tensor, var: Tensor, count: int | Tensor
) -> None:
    """As BatchNorm does: the unbiased variance, and the plain average where momentum is None."""
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


def _group_to_sum_over(norm: _BatchNorm) -> dist.ProcessGroup | None:
    """The processes whose samples SyncBatchNorm takes together, or None where it is alone."""
    if not (isinstance(norm, nn.SyncBatchNorm) and norm.training):
        return None
    if not (dist.is_available() and dist.is_initialized()):
        return None
    group = norm.process_group or dist.group.WORLD
    return group if dist.get_world_size(group) > 1 else None


class _SumOverProcesses(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: dist.ProcessGroup) -> Tensor:
        ctx.group = group
        total = values.clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _SumOverProcesses.apply(grad, ctx.group), None
