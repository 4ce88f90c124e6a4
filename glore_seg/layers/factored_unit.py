"""The unit evaluated in the interaction space: the same function, from small matrices.

Matrix products associate. Instead of reducing X to an S x L map and extending an S x L map to
C x L (the paper's order), the reduction and the extension act on C x N matrices; what lies between
the two passes over X (:mod:`glore_seg.layers.interaction_space`) has no positions at all:

    project_and_moments   M = X B^T / L and mu = B 1 / L, from one pass over X
    Eq. 1                 V = phi (X B^T) = L (W_phi M + b_phi mu^T)
    Eq. 2                 Z from V, as in the paper
    extension, norm       U = W_extend Z, and BatchNorm folded into it: P and t
    broadcast_back        Y = X + P (B - mu) + t, Eq. 4, in a second pass

Shape legend: B batch, C channels, L positions, N nodes, S states (features of a node).
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from glore_seg.compat.torch_api import TORCH, is_compiling
from glore_seg.errors import ConfigError
from glore_seg.layers.evaluation_order import costs_less_in_interaction_space
from glore_seg.layers.half_precision import compute_dtype, sums_overflow, without_autocast
from glore_seg.layers.interaction_norm import fold_norm, is_foldable, takes_batch_statistics
from glore_seg.layers.interaction_space import broadcast_back, project_and_moments

if TYPE_CHECKING:
    from glore_seg.layers.glore_unit import GloReUnit

_CONV_FORWARDS = (nn.Conv1d.forward, nn.Conv2d.forward, nn.Conv3d.forward)
_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


def forward_factored(unit: GloReUnit, x: Tensor) -> Tensor:
    """Evaluate the unit on (B, C, *sizes) in the interaction space."""
    length = prod(x.shape[2:])
    dtype = torch.float32 if sums_overflow(unit, x) else compute_dtype(x)
    exact = torch.promote_types(dtype, torch.float32)
    # By attribute: FSDP and DataParallel replace parameters by tensors.
    projections: list[Any] = [unit.conv_proj]
    if not unit.share_projection:
        projections.append(unit.conv_reproj)
    state_bias: Any = unit.conv_state.bias
    with without_autocast(x):
        x, centered, second, means, sigma = project_and_moments(
            x,
            torch.stack([_matrix(conv, dtype) for conv in projections]),
            torch.stack([conv.bias.to(dtype) for conv in projections]),
            covariance=takes_batch_statistics(unit.blocker),
        )
        nodes = _matrix(unit.conv_state, exact) @ second  # V / L, Eq. 1, (B, S, N)
        nodes = nodes + state_bias[:, None] * means[:, :1]
        if not unit.normalize:
            nodes = nodes * length
        nodes = unit.reason(nodes.to(unit.gcn.conv1.weight.dtype)).to(exact)  # Z, Eq. 2
        extended = _matrix(unit.conv_extend, exact) @ nodes  # U, (B, C, N)
        mean = (extended @ means[:, -1, :, None])[:, :, 0]  # (B, C)
        if unit.conv_extend.bias is not None:  # as fuse_conv_bn leaves it
            mean = mean + unit.conv_extend.bias
        weight, shift = fold_norm(unit.blocker, extended, mean, sigma, length)
        return broadcast_back(x, centered, weight, shift)  # Eq. 4


def chooses_factored(unit: GloReUnit, length: int | None) -> bool:
    """Whether the unit evaluates an input of L positions (None: any) in the interaction space."""
    # torch.compile before 2.6 does not take the custom backward passes.
    if unit.order == "coordinate" or (TORCH < (2, 6) and is_compiling()):
        return False
    if unit.order == "interaction":
        require_factorable(unit)
        return True
    return _obstacle(unit) is None and costs_less_in_interaction_space(
        unit.in_channels,
        unit.num_nodes,
        unit.num_states,
        length,
        shared=unit.share_projection,
        covariance=takes_batch_statistics(unit.blocker),
    )


def require_factorable(unit: GloReUnit) -> None:
    """Raise a ConfigError for a unit that cannot be evaluated in the interaction space."""
    obstacle = _obstacle(unit)
    if obstacle:
        raise ConfigError(
            f'order="interaction" is impossible: {obstacle}. Use order="auto" or "coordinate"'
        )


def _obstacle(unit: GloReUnit) -> str | None:
    """Why small matrices cannot replace calls of the submodules, or None."""
    if not is_foldable(unit.blocker):
        return f"the last norm is {type(unit.blocker).__name__}, not BatchNorm"
    for name in ("conv_state", "conv_proj", "conv_reproj", "conv_extend", "blocker"):
        module = getattr(unit, name, None)
        if module is None:
            continue
        if name != "blocker" and not _is_pointwise(module, needs_bias=name != "conv_extend"):
            return f"{name} is {module}, not the 1x1 convolution that the unit builds"
        if any(getattr(module, hooks) for hooks in _HOOKS):
            return f"{name} has a hook and would not be called"
    return None


def _is_pointwise(conv: Any, *, needs_bias: bool) -> bool:
    """Whether a module is a matrix on the channels, with a bias where one is used."""
    if type(conv).forward not in _CONV_FORWARDS:
        return False
    ones = {*conv.kernel_size, *conv.stride, conv.groups}
    padding = conv.padding if isinstance(conv.padding, tuple) else (0,)
    return ones == {1} and set(padding) == {0} and not (needs_bias and conv.bias is None)


def _matrix(conv: Any, dtype: torch.dtype) -> Tensor:
    """A 1x1 kernel as its matrix, (out, in)."""
    return conv.weight.flatten(1).to(dtype)
