r"""The two passes over the feature map that the unit needs in the interaction space.

    project_and_moments   B = theta X + b    mu = B 1 / L    M = X B^T / L
                          Sigma = (B - mu)(B - mu)^T / L
    broadcast_back        Y = X + P (B - mu) + t

Only X and B - mu are saved for the backward pass, where products that share a factor are one.

Shape legend: B batch, C channels, L positions, N nodes. Maps are (B, C, L) and (B, N, L) views of
memory with L innermost (NCHW) or outermost (channels-last). BLAS reads both, so that no map is
copied: Y has the layout of X, B the layout that is fastest.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from glore_seg.compat.torch_api import is_compiling

_CONVS = {4: torch.conv2d, 5: torch.conv3d}
_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
_MANY = 2**14  # positions


def project_and_moments(
    x: Tensor, weight: Tensor, bias: Tensor, *, covariance: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Project X to the nodes, and compute the moments of X and B.

    With a second projection D for the reverse projection (Section 3.4), M belongs to the first,
    Sigma and the returned B - mu to the second. Products are in the dtype of ``weight``; moments
    are fp32, or fp64 for an fp64 ``weight``.

    Args:
        x: X, (B, C, *sizes), NCHW or channels-last.
        weight: theta of each projection, (1, N, C) or (2, N, C).
        bias: b of each, (1, N) or (2, N).
        covariance: Whether to compute Sigma, which only batch statistics need.

    Returns:
        X for :func:`broadcast_back`, B - mu (B, N, L), M (B, C, N), mu of each projection
        (B, 1, N) or (B, 2, N), and Sigma (B, N, N), or (0,) without ``covariance``.
    """
    if _uses_plain_operations():
        return x, *_project_and_moments(x, weight, bias, covariance)[1:]
    return _ProjectAndMoments.apply(x, weight, bias, covariance)


def broadcast_back(x: Tensor, centered: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """Return X + P (B - mu) + t in the memory format and dtype of X.

    Args:
        x: X as :func:`project_and_moments` returned it, (B, C, *sizes).
        centered: B - mu, (B, N, L).
        weight: P, (B, C, N).
        shift: t, (B, C).
    """
    if _uses_plain_operations():
        return _add_broadcast(x, centered, weight.to(centered.dtype), shift)
    return _BroadcastBack.apply(x, centered, weight, shift)


def _uses_plain_operations() -> bool:
    """Whether a custom backward pass is not needed, or cannot be traced or transformed."""
    if is_compiling():
        return False
    # torch.func: not public, but what autograd.Function itself asks.
    in_transform = getattr(torch._C, "_are_functorch_transforms_active", bool)()
    return not torch.is_grad_enabled() or torch.jit.is_tracing() or in_transform


class _ProjectAndMoments(torch.autograd.Function):
    """Takes and returns X, so that all of its gradient is summed inside one product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, covariance: bool) -> Any:
        first, centered, second, mean, sigma = _project_and_moments(x, weight, bias, covariance)
        # B itself is B - mu and mu, unless D is another projection.
        ctx.save_for_backward(
            x, weight, bias, centered, mean, *([] if len(weight) == 1 else [first])
        )
        ctx.covariance = covariance
        return x.view_as(x), centered, second, mean, sigma

    @staticmethod
    def backward(
        ctx: Any,
        grad_x: Tensor,
        grad_centered: Tensor,
        grad_second: Tensor,
        grad_mean: Tensor,
        grad_sigma: Tensor,
    ) -> Any:
        x, weight, bias, centered, mean, *first = ctx.saved_tensors
        if torch.is_grad_enabled():
            grads = (grad_x, grad_centered, grad_second, grad_mean, grad_sigma)
            needed = ctx.needs_input_grad[:3]
            return *_differentiable_backward((x, weight, bias), needed, ctx.covariance, grads), None
        dtype, (num_projections, num_nodes, _) = weight.dtype, weight.shape
        features = columns(x.to(dtype))  # (B, C, L)
        length = features.shape[2]
        # Gradients of the projections and, below them, B: one product gives dX.
        nodes = _new_nodes(features, (num_projections + 1) * num_nodes)
        grad_nodes, kept = nodes[:, :-num_nodes], nodes[:, -num_nodes:]
        grad_first, grad_last = grad_nodes[:, :num_nodes], grad_nodes[:, -num_nodes:]  # (B, N, L)
        offset = grad_mean / length  # (B, 1 or 2, N)
        if num_projections > 1:
            grad_first.copy_(offset[:, 0, :, None].expand_as(grad_first))
        # Centering subtracts the mean.
        offset = offset[:, -1] - grad_centered.mean(2, dtype=mean.dtype)  # (B, N)
        grad_last.copy_(grad_centered).add_(offset[:, :, None])
        if ctx.covariance:
            symmetric = (grad_sigma + grad_sigma.mT) / length  # (B, N, N)
            _add_product(grad_last, symmetric.to(dtype), centered)
        second = grad_second / length  # (B, C, N)
        _add_product(grad_first, second.mT.to(dtype), features)
        if first:
            kept.copy_(first[0])
            shift = second.new_zeros(second.shape[:2])
        else:
            kept.copy_(centered)
            shift = torch.bmm(second, mean.mT)[:, :, 0]  # the part of mu in B, (B, C)
        to_x = weight.flatten(0, 1).mT.expand(*second.shape[:2], -1)  # theta^T, (B, C, N or 2N)
        return (
            _add_broadcast(grad_x, nodes, torch.cat([to_x, second.to(dtype)], 2), shift),
            torch.bmm(grad_nodes, features.mT).sum(0).view_as(weight),
            _bias_gradient(grad_nodes, grad_mean, second, features).view_as(bias),
            None,
        )


def _bias_gradient(
    grad_nodes: Tensor, grad_mean: Tensor, second: Tensor, features: Tensor
) -> Tensor:
    """Sum of the gradient of B over samples and positions, (N,) or (2 N,)."""
    if features.dtype.itemsize >= 4:
        return grad_nodes.sum((0, 2))
    # The sum of centered values is zero, but not after rounding to 16 bits.
    total = grad_mean.clone()  # (B, 1 or 2, N)
    sums = features.sum(2, dtype=second.dtype)  # (B, C)
    total[:, 0] += torch.bmm(second.mT, sums[:, :, None])[:, :, 0]
    return total.sum(0).flatten().to(grad_nodes.dtype)


class _BroadcastBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, centered: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(centered, weight)
        return _add_broadcast(x, centered, weight.to(centered.dtype), shift)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        centered, weight = ctx.saved_tensors
        grad_out = columns(grad.to(centered.dtype))  # (B, C, L)
        grad_centered = _product(weight.mT.to(centered.dtype), grad_out)  # (B, N, L)
        grad_weight = torch.bmm(grad_out, centered.mT).to(weight.dtype)  # (B, C, N)
        return grad, grad_centered, grad_weight, grad_out.sum(2, dtype=weight.dtype)


def _project_and_moments(
    x: Tensor, weight: Tensor, bias: Tensor, covariance: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """B, and what :func:`project_and_moments` returns after X."""
    features = columns(x.to(weight.dtype))  # (B, C, L)
    length = features.shape[2]
    exact = torch.promote_types(weight.dtype, torch.float32)
    nodes = [_project(x, matrix, vector) for matrix, vector in zip(weight, bias, strict=True)]
    mean = torch.stack([each.mean(2, dtype=exact) for each in nodes], 1)  # (B, 1 or 2, N)
    # Divided inside the product, which accumulates in fp32: the sum may exceed the range of fp16.
    zero = features.new_zeros(1)
    second = torch.baddbmm(zero, features, nodes[0].mT, beta=0, alpha=1 / length)  # (B, C, N)
    if torch.is_grad_enabled() or torch.jit.is_tracing():  # B may be saved elsewhere
        centered = (nodes[-1] - mean[:, -1, :, None]).to(weight.dtype)  # (B, N, L)
    else:
        centered = nodes[-1].sub_(mean[:, -1, :, None])
    if covariance:
        deviation = centered.to(exact)
        sigma = torch.bmm(deviation, deviation.mT) / length  # (B, N, N)
    else:
        sigma = mean.new_zeros(0)
    return nodes[0], centered, second.to(exact), mean, sigma


def _differentiable_backward(
    inputs: tuple[Tensor, Tensor, Tensor],
    needed: tuple[bool, ...],
    covariance: bool,
    grads: tuple[Tensor, ...],
) -> Iterator[Tensor | None]:
    """The same by autograd, for second derivatives."""
    x = inputs[0]
    outs = (x.view_as(x), *_project_and_moments(*inputs, covariance)[1:])
    pairs = [pair for pair in zip(outs, grads, strict=True) if pair[0].requires_grad]
    found = iter(
        torch.autograd.grad(
            [out for out, _ in pairs],
            [tensor for tensor, need in zip(inputs, needed, strict=True) if need],
            [grad for _, grad in pairs],
            create_graph=True,
            allow_unused=True,
        )
    )
    return (next(found) if need else None for need in needed)


def dense(x: Tensor) -> Tensor:
    """Return (B, C, *sizes) as NCHW or channels-last, copying only other layouts."""
    if x.is_contiguous() or x.movedim(1, -1).is_contiguous():
        return x
    if x.stride(1) == 1 and x.dim() in _CHANNELS_LAST:
        return x.contiguous(memory_format=_CHANNELS_LAST[x.dim()])
    return x.contiguous()


def columns(x: Tensor) -> Tensor:
    """View (B, C, *sizes) as (B, C, L), copying only what is neither NCHW nor channels-last."""
    x = dense(x)
    return x.flatten(2) if x.is_contiguous() else x.movedim(1, -1).flatten(1, -2).mT


def _is_position_major(x: Tensor) -> bool:
    """Whether (B, C, L) is a view of (B, L, C) in memory."""
    return x.stride(1) == 1 and x.stride(2) != 1


def _wants_position_major(x: Tensor) -> bool:
    """Whether a (B, N, L) computed from ``x`` (B, C, L) should be a view of (B, L, N).

    BLAS is faster so, even from NCHW (by a quarter for odd L), except for strides that are a
    multiple of the cache's.
    """
    return x.stride(1) == 1 or isinstance(x.shape[2], torch.SymInt) or x.shape[2] % 1024 != 0


def _new_nodes(x: Tensor, rows: int) -> Tensor:
    """Uninitialized (B, rows, L) in the layout of products with ``x``."""
    batch, _, length = x.shape
    if _wants_position_major(x):
        return x.new_empty(batch, length, rows).mT
    return x.new_empty(batch, rows, length)


def _project(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Theta X + b, (B, N, L), of (B, C, *sizes), (N, C) and (N,)."""
    x = dense(x.to(weight.dtype))
    conv = _CONVS.get(x.dim())
    in_onednn = x.device.type == "cpu" and x.dtype in (torch.float32, torch.bfloat16)
    if conv and in_onednn and not x.is_contiguous():
        # On channels-last, oneDNN's convolution is a third faster than a product.
        return columns(conv(x, weight.reshape(*weight.shape, *(1,) * (x.dim() - 2)), bias))
    features = columns(x)
    left = weight.expand(features.shape[0], -1, -1)
    if _wants_position_major(features):
        return torch.baddbmm(bias, features.mT, left.mT).mT
    return _product(left, features).add_(bias[:, None])


def _product(left: Tensor, right: Tensor) -> Tensor:
    """(B, R, K) times (B, K, L)."""
    if _wants_position_major(right):
        return torch.bmm(right.mT, left.mT).mT
    if right.device.type == "cpu" and right.shape[2] >= _MANY and not is_compiling():
        # In blocks of positions, for the same reason.
        out = right.new_empty(right.shape[0], left.shape[1], right.shape[2])
        for to, factor, part in zip(out, left, right, strict=True):
            pieces = part.unflatten(1, (-1, 1024)).transpose(0, 1)  # (L / 1024, K, 1024)
            product = torch.bmm(factor.expand(pieces.shape[0], -1, -1), pieces)
            to.unflatten(1, (-1, 1024)).copy_(product.transpose(0, 1))
        return out
    return torch.bmm(left, right)


def _add_product(out: Tensor, left: Tensor, right: Tensor) -> None:
    """Add (B, R, K) times (B, K, L) to ``out`` in place."""
    if _is_position_major(out):
        out.mT.baddbmm_(right.mT, left.mT)
    else:
        out.baddbmm_(left, right)


def _add_broadcast(x: Tensor, nodes: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """X + P B + t, in the memory format of X."""
    if nodes.dtype.itemsize < 4:
        # t becomes part of the product, which is then rounded once, with the sum.
        weight, nodes = _with_shift(weight, nodes, shift)
        shift = torch.zeros_like(shift)
    shift = shift.to(x.dtype).reshape(*shift.shape, *(1,) * (x.dim() - 2))  # (B, C, 1, ...)
    out = dense(x) + shift
    if nodes.dtype == x.dtype:
        _add_product(columns(out), weight, nodes)
    else:
        columns(out).add_(_product(weight, nodes))
    return out


def _with_shift(weight: Tensor, nodes: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Factors whose product is P B + t, with t as a sum of two values of 16 bits.

    Padded from two columns to eight, a multiple that tensor cores need.
    """
    first = shift.to(weight.dtype)
    second = (shift - first).to(weight.dtype)
    padding = torch.zeros_like(first)[:, :, None].expand(-1, -1, 6)
    weight = torch.cat([weight, first[:, :, None], second[:, :, None], padding], 2)  # (B, C, N + 8)
    ones = nodes.new_ones(nodes.shape[0], 8, nodes.shape[2])
    if nodes.stride(1) == 1:
        return weight, torch.cat([nodes.mT, ones.mT], 2).mT
    return weight, torch.cat([nodes, ones], 1)
