r"""The two passes over the feature map that the unit needs in the interaction space.

Matrix products associate: what the unit computes on C x L and S x L maps (Section 3 of
https://arxiv.org/abs/1811.12814) is a function of small matrices, gathered in one pass over X, and
it comes back in a second pass, whatever lies between the two:

    gather   B = theta X + b    mu = B 1 / L    M = X B^T / L    Sigma = (B - mu)(B - mu)^T / L
    spread   Y = X + P (B - mu) + t

Only X and B - mu are kept for the backward pass, where products that share a factor are one.

Shape legend: B batch, C channels, L positions, N nodes. Maps are (B, C, L) and (B, N, L) however
they lie in memory: with L innermost (NCHW) or outermost (channels-last). A result lies as its
operand does, and BLAS reads either, so that nothing is copied.
"""

from typing import Any

import torch
from torch import Tensor

from glore_seg.layers.large_memory import add


def gather(
    x: Tensor, weight: Tensor, bias: Tensor, *, covariance: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Project X to the nodes, and take the moments of the two.

    With a second projection D for the way back (Section 3.4), M is of the first, Sigma and what
    :func:`spread` takes are of the last. Products are taken in the dtype of ``weight``; moments
    are fp32, or fp64 for an fp64 ``weight``.

    Args:
        x: X, (B, C, *sizes), NCHW or channels-last.
        weight: theta of each projection, (1, N, C) or (2, N, C).
        bias: b of each, (1, N) or (2, N).
        covariance: Whether to take Sigma, which only statistics of the batch need.

    Returns:
        X as :func:`spread` takes it, B - mu (B, N, L), M (B, C, N), mu of each projection
        (B, 1, N) or (B, 2, N), and Sigma (B, N, N), or (0,) without ``covariance``.
    """
    return _Gather.apply(x, weight, bias, covariance)


def spread(x: Tensor, centred: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """Return X + P (B - mu) + t in the memory format and dtype of X.

    Args:
        x: X as :func:`gather` returned it, (B, C, *sizes).
        centred: B - mu, (B, N, L).
        weight: P, (B, C, N).
        shift: t, (B, C).
    """
    return _Spread.apply(x, centred, weight, shift)


class _Gather(torch.autograd.Function):
    """X goes in and out, so that all of its gradient is summed inside one product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, covariance: bool) -> Any:
        first, centred, second, mean, sigma = _gather(x, weight, bias, covariance)
        # B itself is B - mu and mu, unless D is another projection.
        ctx.save_for_backward(
            x, weight, bias, centred, mean, *([] if len(weight) == 1 else [first])
        )
        ctx.covariance = covariance
        return x.view_as(x), centred, second, mean, sigma

    @staticmethod
    def backward(
        ctx: Any,
        grad_x: Tensor,
        grad_centred: Tensor,
        grad_second: Tensor,
        grad_mean: Tensor,
        grad_sigma: Tensor,
    ) -> Any:
        x, weight, bias, centred, mean, *first = ctx.saved_tensors
        if torch.is_grad_enabled():
            grads = (grad_x, grad_centred, grad_second, grad_mean, grad_sigma)
            return *_differentiable_backward((x, weight, bias), ctx.covariance, grads), None
        dtype, (num_projections, num_nodes, _) = weight.dtype, weight.shape
        features = columns(x.to(dtype))  # (B, C, L)
        length = features.shape[2]
        # Gradients of the projections, and below them B: dX takes one product with all.
        nodes = _new_nodes(features, (num_projections + 1) * num_nodes)
        grad_nodes, kept = nodes[:, :-num_nodes], nodes[:, -num_nodes:]
        grad_first, grad_last = grad_nodes[:, :num_nodes], grad_nodes[:, -num_nodes:]  # (B, N, L)
        offset = grad_mean / length  # (B, 1 or 2, N)
        if num_projections > 1:
            grad_first.copy_(offset[:, 0, :, None].expand_as(grad_first))
        # Centring takes the mean off.
        offset = offset[:, -1] - grad_centred.mean(2, dtype=mean.dtype)  # (B, N)
        grad_last.copy_(grad_centred).add_(offset[:, :, None])
        if ctx.covariance:
            symmetric = (grad_sigma + grad_sigma.mT) / length  # (B, N, N)
            _add_product(grad_last, symmetric.to(dtype), centred)
        second = grad_second / length  # (B, C, N)
        _add_product(grad_first, second.mT.to(dtype), features)
        if first:
            kept.copy_(first[0])
            shift = second.new_zeros(second.shape[:2])
        else:
            kept.copy_(centred)
            shift = torch.bmm(second, mean.mT)[:, :, 0]  # what B has beyond B - mu, (B, C)
        to_x = weight.flatten(0, 1).mT.expand(*second.shape[:2], -1)  # theta^T, (B, C, N or 2N)
        return (
            _add_spread(grad_x, nodes, torch.cat([to_x, second.to(dtype)], 2), shift),
            torch.bmm(grad_nodes, features.mT).sum(0).view_as(weight),
            grad_nodes.sum((0, 2)).view_as(bias),
            None,
        )


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, centred: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(centred, weight)
        return _add_spread(x, centred, weight.to(centred.dtype), shift)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        centred, weight = ctx.saved_tensors
        grad_out = columns(grad.to(centred.dtype))  # (B, C, L)
        grad_centred = _product(weight.mT.to(centred.dtype), grad_out)  # (B, N, L)
        grad_weight = torch.bmm(grad_out, centred.mT).to(weight.dtype)  # (B, C, N)
        return grad, grad_centred, grad_weight, grad_out.sum(2, dtype=weight.dtype)


def _gather(
    x: Tensor, weight: Tensor, bias: Tensor, covariance: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """B, and what :func:`gather` returns but X."""
    features = columns(x.to(weight.dtype))  # (B, C, L)
    length = features.shape[2]
    exact = torch.promote_types(weight.dtype, torch.float32)
    nodes = [
        _product(matrix.expand(features.shape[0], -1, -1), features, vector)  # (B, N, L)
        for matrix, vector in zip(weight, bias, strict=True)
    ]
    mean = torch.stack([each.mean(2, dtype=exact) for each in nodes], 1)  # (B, 1 or 2, N)
    # Divided inside the product, where it is summed in fp32: the sum may be more than fp16 holds.
    zero = features.new_zeros(1)
    second = torch.baddbmm(zero, features, nodes[0].mT, beta=0, alpha=1 / length)  # (B, C, N)
    if torch.is_grad_enabled():  # differentiated twice
        centred = (nodes[-1] - mean[:, -1, :, None]).to(weight.dtype)  # (B, N, L)
    else:
        centred = nodes[-1].sub_(mean[:, -1, :, None])
    if covariance:
        deviation = centred.to(exact)
        sigma = torch.bmm(deviation, deviation.mT) / length  # (B, N, N)
    else:
        sigma = mean.new_zeros(0)
    return nodes[0], centred, second.to(exact), mean, sigma


def _differentiable_backward(
    inputs: tuple[Tensor, Tensor, Tensor], covariance: bool, grads: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """The same by autograd, for those who differentiate twice."""
    x = inputs[0]
    outs = (x.view_as(x), *_gather(*inputs, covariance)[1:])
    used = slice(None if covariance else -1)
    return torch.autograd.grad(outs[used], inputs, grads[used], create_graph=True)


def dense(x: Tensor) -> Tensor:
    """Return (B, C, *sizes) as it is if NCHW or channels-last, else as NCHW."""
    return x if x.movedim(1, -1).is_contiguous() else x.contiguous()


def columns(x: Tensor) -> Tensor:
    """View (B, C, *sizes) as (B, C, L), copying only what is neither NCHW nor channels-last."""
    x = dense(x)
    return x.flatten(2) if x.is_contiguous() else x.movedim(1, -1).flatten(1, -2).mT


def _is_position_major(x: Tensor) -> bool:
    """Whether (B, C, L) lies in memory as (B, L, C)."""
    return x.stride(1) == 1 and x.stride(2) != 1


def _wants_position_major(x: Tensor) -> bool:
    """Whether a (B, N, L) made from ``x`` (B, C, L) should lie as (B, L, N).

    BLAS makes that faster even from NCHW (by a quarter for odd L), but for columns so many bytes
    apart that they share cache lines.
    """
    return x.stride(1) == 1 or isinstance(x.shape[2], torch.SymInt) or x.shape[2] % 1024 != 0


def _new_nodes(x: Tensor, rows: int) -> Tensor:
    """Uninitialised (B, rows, L), laid out as products with ``x`` are."""
    batch, _, length = x.shape
    if _wants_position_major(x):
        return x.new_empty(batch, length, rows).mT
    return x.new_empty(batch, rows, length)


def _product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """(B, R, K) times (B, K, L), plus (R,)."""
    if _wants_position_major(right):
        if bias is None:
            return torch.bmm(right.mT, left.mT).mT
        return torch.baddbmm(bias, right.mT, left.mT).mT
    if bias is None:
        return torch.bmm(left, right)
    return torch.baddbmm(bias[:, None], left, right)


def _add_product(out: Tensor, left: Tensor, right: Tensor) -> None:
    """Add (B, R, K) times (B, K, L) to ``out`` in place."""
    if _is_position_major(out):
        out.mT.baddbmm_(right.mT, left.mT)
    else:
        out.baddbmm_(left, right)


def _add_spread(x: Tensor, nodes: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """X + P B + t, in the memory format of X."""
    if nodes.dtype.itemsize < 4:
        # Rounded once, with the sum: t goes into the product.
        weight, nodes = _with_shift(weight, nodes, shift)
        shift = torch.zeros_like(shift)
    shift = shift.to(x.dtype).reshape(*shift.shape, *(1,) * (x.dim() - 2))  # (B, C, 1, ...)
    out = add(dense(x), shift)
    if nodes.dtype == x.dtype:
        _add_product(columns(out), weight, nodes)
    else:
        columns(out).add_(_product(weight, nodes))
    return out


def _with_shift(weight: Tensor, nodes: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Factors whose product is P B + t, with t in two parts, since 16 bits hold but its first.

    Eight columns instead of two, as tensor cores want them.
    """
    first = shift.to(weight.dtype)
    second = (shift - first).to(weight.dtype)
    padding = torch.zeros_like(first)[:, :, None].expand(-1, -1, 6)
    weight = torch.cat([weight, first[:, :, None], second[:, :, None], padding], 2)  # (B, C, N + 8)
    ones = nodes.new_ones(nodes.shape[0], 8, nodes.shape[2])
    if nodes.stride(1) == 1:
        return weight, torch.cat([nodes.mT, ones.mT], 2).mT
    return weight, torch.cat([nodes, ones], 1)
