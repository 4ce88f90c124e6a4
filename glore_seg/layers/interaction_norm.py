r"""BatchNorm of a map that is never computed, E = U (B - mu) + m, from its small factors.

With Sigma, the covariance of B over the positions of one sample, and m_b = U_b mu_b:

    mean = avg_b m_b        var = avg_b diag(U_b Sigma_b U_b^T) + avg_b (m_b - mean)^2

are exactly BatchNorm's statistics over batch and positions of E. Across processes, as in
SyncBatchNorm, only sums of C numbers are exchanged.

Shape legend: B batch, C channels, L positions, N nodes.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from glore_seg.errors import ConfigError
from glore_seg.layers.synchronized_norm import (
    SumOverProcesses,
    SynchronizedBatchNorm,
    group_to_sum_over,
    update_running_statistics,
)


def takes_batch_statistics(norm: nn.Module) -> bool:
    """Whether ``norm`` is a BatchNorm that normalizes by the statistics of the current batch."""
    return isinstance(norm, _BatchNorm) and (norm.training or norm.running_mean is None)


def is_synchronized(norm: nn.Module) -> bool:
    """Whether ``norm`` synchronizes its statistics over several processes."""
    return isinstance(norm, _BatchNorm) and group_to_sum_over(norm) is not None


def is_foldable(norm: nn.Module) -> bool:
    """Whether ``norm`` is exactly a BatchNorm, synchronized or not, or Identity."""
    if type(norm) is nn.Identity:
        return True
    kinds = (_BatchNorm, nn.SyncBatchNorm, SynchronizedBatchNorm)
    forwards = [kind.forward for kind in kinds]
    return isinstance(norm, _BatchNorm) and type(norm).forward in forwards


def fold_norm(
    norm: nn.Module, weight: Tensor, mean: Tensor, sigma: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Fold ``norm`` into the factors of the map that it normalizes, and update its statistics.

    Args:
        norm: :func:`is_foldable` must hold for it.
        weight: U, (B, C, N).
        mean: m, the mean of the map over positions, (B, C).
        sigma: Sigma, (B, N, N); used if the norm :func:`takes_batch_statistics`.
        length: L.

    Returns:
        P (B, C, N) and t (B, C), of which the normalized map is P (B - mu) + t.
    """
    if not isinstance(norm, _BatchNorm):
        return weight, mean
    if norm.running_mean is None or norm.running_var is None or norm.training:
        center, var = _batch_statistics(norm, weight, mean, sigma, length)  # (C,) each
    else:
        center, var = norm.running_mean.to(mean.dtype), norm.running_var.to(mean.dtype)
    scale = (var + norm.eps).rsqrt()  # (C,)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = (mean - center) * scale  # (B, C)
    if norm.bias is not None:
        shift = shift + norm.bias
    return weight * scale[:, None], shift


def _batch_statistics(
    norm: _BatchNorm, weight: Tensor, mean: Tensor, sigma: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over batch, positions and processes, (C,) each."""
    within = (torch.bmm(weight, sigma) * weight).sum(2)  # diag(U Sigma U^T), (B, C)
    group = group_to_sum_over(norm)
    if group is None:
        if mean.shape[0] * length == 1:
            raise ConfigError(
                f"{type(norm).__name__} in training needs more than one value a channel, got one "
                "sample of one position: give a larger batch or input"
            )
        center = mean.mean(0)  # (C,)
        var = (within + (mean - center).square()).mean(0)  # (C,)
        count: int | Tensor = mean.shape[0] * length
    else:
        # Inputs of other processes may have other sizes.
        counts = mean.new_tensor([mean.shape[0] * length])
        total = SumOverProcesses.apply(torch.cat([counts, mean.sum(0) * length]), group)
        count, center = total[0].detach(), total[1:] / total[0].detach()
        spread = (within + (mean - center).square()).sum(0) * length
        var = SumOverProcesses.apply(spread, group) / count
    update_running_statistics(norm, center, var, count)
    return center, var
