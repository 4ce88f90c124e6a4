"""The Global Reasoning unit, Section 3 and Fig. 2 of https://arxiv.org/abs/1811.12814.

Shape legend: B batch, C channels, L positions (all spatial and temporal sizes multiplied),
N nodes, S states (features of a node).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from glore_seg.compat.torch_api import get_autocast_dtype, in_autocast
from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_count
from glore_seg.layers.evaluation_order import Order, check_order, costs_less_in_interaction_space
from glore_seg.layers.graph_conv import ActPosition, GraphConv
from glore_seg.layers.interaction_norm import (
    fold_norm,
    is_foldable,
    is_synchronised,
    takes_batch_statistics,
)
from glore_seg.layers.interaction_space import gather, spread
from glore_seg.layers.norm import check_norm_positions

_CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_BATCH_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


class GloReUnit(nn.Module):
    r"""Reasons over distant regions on a small graph and adds the result to its input.

    With the projection :math:`B = \theta(X)` (N x L) and the reduced features
    :math:`\phi(X)` (S x L):

    1. nodes: :math:`V = \phi(X) B^T` (Eq. 1), times 1/L when ``normalize``;
    2. reasoning: :math:`Z = ((I - A_g) V) W_g` (Eq. 2), once per graph convolution;
    3. reverse projection: :math:`Y = D Z` with :math:`D = B^T` unless
       ``share_projection=False`` (Eq. 4);
    4. extension back to C channels, a norm, plus X.

    The parameters bear the names of the released unit (``conv_state``, ``conv_proj``,
    ``gcn.conv1``, ``gcn.conv2``, ``conv_extend``, ``blocker``), so its weights load as they are.

    Args:
        in_channels: Channels C of the input and the output.
        num_nodes: Graph nodes N. Default: C / 4, as in Section 4.1.
        num_states: Features S of a node. Default: 2 N.
        ndim: Number of spatial and temporal dimensions, 1, 2 or 3 (Section 3.5).
        num_graph_convs: Graph convolutions in a row, 1 to 3 (Table 1).
        normalize: Divide the sum over positions by their number. Needed when the input size is
            not fixed, as in segmentation; the released classification and video networks do
            without.
        share_projection: Use ``D = B^T``. With ``False`` a 1x1 convolution of its own,
            ``conv_reproj``, predicts D (Section 3.4).
        act_position: Where the ReLU of a graph convolution stands, see :class:`GraphConv`.
        zero_init: Start the scale of the last norm at 0, so that a new unit is the identity
            (on in the released code, off in the paper's comparison with non-local blocks).
        norm_layer: Called with C, returns the last norm. Default: BatchNorm with the released
            eps of 1e-4.
        order: In which order the matrix products are taken; the function is the same.
            ``"coordinate"`` is the paper's, on maps over all positions; ``"interaction"`` takes
            reduction, extension and BatchNorm on small matrices, see
            :mod:`glore_seg.layers.interaction_space`, and needs a BatchNorm (or none) as the last
            norm and submodules without hooks; ``"auto"`` counts for each input which costs less,
            and takes the paper's where the other can't be had.

    Shape:
        - Input: (B, C, \*sizes) with ``ndim`` sizes of any values
        - Output: the same

    Raises:
        ConfigError: An argument is outside its range, ``in_channels`` is too small for the default
            number of nodes, the input has another number of dimensions or channels, or the norm
            is asked for statistics over one single value, or ``order="interaction"`` can't be had.

    Example:
        >>> import torch
        >>> unit = GloReUnit(512, num_nodes=64)
        >>> unit(torch.rand(2, 512, 9, 17)).shape
        torch.Size([2, 512, 9, 17])
    """

    def __init__(
        self,
        in_channels: int,
        num_nodes: int | None = None,
        num_states: int | None = None,
        *,
        ndim: int = 2,
        num_graph_convs: int = 1,
        normalize: bool = True,
        share_projection: bool = True,
        act_position: ActPosition = "between",
        zero_init: bool = True,
        norm_layer: Callable[[int], nn.Module] | None = None,
        order: Order = "auto",
    ) -> None:
        super().__init__()
        if ndim not in _CONVS:
            raise ConfigError(f"ndim must be one of {tuple(_CONVS)}, got {ndim}")
        if not 1 <= num_graph_convs <= 3:
            raise ConfigError(f"num_graph_convs must be 1, 2 or 3 (Table 1), got {num_graph_convs}")
        check_count("in_channels", in_channels, at_least=1)
        if num_nodes is None:
            if in_channels < 4:
                raise ConfigError(
                    f"in_channels={in_channels} gives no node by the default num_nodes="
                    "in_channels // 4; pass num_nodes, or at least 4 channels"
                )
            num_nodes = in_channels // 4
        check_order(order)
        num_states = 2 * num_nodes if num_states is None else num_states
        gcns = [
            GraphConv(num_nodes, num_states, act_position=act_position)
            for _ in range(num_graph_convs)
        ]
        conv = partial(_CONVS[ndim], kernel_size=1)
        self.in_channels = in_channels
        self.num_nodes = num_nodes
        self.num_states = num_states
        self.ndim = ndim
        self.normalize = normalize
        self.share_projection = share_projection
        self.zero_init = zero_init
        self.order: Order = order
        self.conv_state = conv(in_channels, num_states)
        self.conv_proj = conv(in_channels, num_nodes)
        # One graph convolution keeps the released names; further ones follow as gcn2, gcn3.
        self.gcn = gcns[0]
        self._extra_gcns = [f"gcn{i}" for i in range(2, num_graph_convs + 1)]
        for name, gcn in zip(self._extra_gcns, gcns[1:], strict=True):
            self.add_module(name, gcn)
        if not share_projection:
            self.conv_reproj = conv(in_channels, num_nodes)
        # These two stay neighbors: fuse_conv_bn goes by the order of registration.
        self.conv_extend = conv(num_states, in_channels, bias=False)
        self.blocker = (norm_layer or partial(_BATCH_NORMS[ndim], eps=1e-4))(in_channels)
        self._init_norm()
        self._check_order()

    def reset_parameters(self) -> None:
        """Initialize anew: torch's own initialization, and the last norm by ``zero_init``."""
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)
            if module is not self and callable(reset):
                reset()
        self._init_norm()

    def _init_norm(self) -> None:
        weight = getattr(self.blocker, "weight", None)
        if self.zero_init and isinstance(weight, Tensor):
            nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` plus what the graph reasoned about it."""
        self._check_input(x)
        # With statistics over processes all of them must choose the same, whatever their sizes.
        length = None if is_synchronised(self.blocker) else prod(x.shape[2:])
        if self.takes_interaction_space(length):
            return self._forward_in_interaction_space(x)
        state = self.conv_state(x).flatten(2)  # (B, S, L)
        proj = self.conv_proj(x).flatten(2)  # (B, N, L)
        reproj = proj if self.share_projection else self.conv_reproj(x).flatten(2)  # (B, N, L)
        if self._outgrows_fp16(x) and in_autocast(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                out = self._reason(state.float(), proj.float(), reproj.float(), x.shape[2:])
            return x + out.to(x.dtype)
        return x + self._reason(state, proj, reproj, x.shape[2:])

    def project(self, x: Tensor) -> Tensor:
        """Return the projection weights b_i, (B, N, *sizes): what Fig. 7 shows of each node.

        Raises:
            ConfigError: The input has another number of dimensions or channels.
        """
        self._check_input(x)
        return self.conv_proj(x)  # (B, N, *sizes)

    def _reason(self, state: Tensor, proj: Tensor, reproj: Tensor, sizes: torch.Size) -> Tensor:
        """Eq. 1 to 4 and the extension: (B, S, L), (B, N, L), (B, N, L) -> (B, C, *sizes)."""
        if self.normalize and state.dtype == torch.float16:
            # Before the sum, so that it stays in range, and half on either side, so that neither
            # factor sinks below the smallest normal number of fp16.
            scale = proj.shape[2] ** -0.5
            state, proj = state * scale, proj * scale
        nodes = state @ proj.transpose(1, 2)  # (B, S, N)
        if self.normalize and state.dtype != torch.float16:
            nodes = nodes / proj.shape[2]
        for gcn in self._gcns():
            nodes = gcn(nodes)  # (B, S, N)
        out = nodes @ reproj  # (B, S, L)
        return self.blocker(self.conv_extend(out.unflatten(2, sizes)))  # (B, C, *sizes)

    def _forward_in_interaction_space(self, x: Tensor) -> Tensor:
        """The same function by small matrices, see :mod:`glore_seg.layers.interaction_space`."""
        length = prod(x.shape[2:])
        dtype = torch.float32 if self._outgrows_fp16(x) else _compute_dtype(x)
        exact = torch.promote_types(dtype, torch.float32)
        names = ("conv_proj",) if self.share_projection else ("conv_proj", "conv_reproj")
        # Biases by attribute: FSDP and DataParallel put tensors in the place of parameters.
        projections: list[Any] = [self.get_submodule(name) for name in names]
        state_bias: Any = self.conv_state.bias
        with _no_autocast(x.device.type):
            x, centered, second, means, sigma = gather(
                x,
                torch.stack([_matrix(conv, dtype) for conv in projections]),
                torch.stack([conv.bias.to(dtype) for conv in projections]),
                covariance=takes_batch_statistics(self.blocker),
            )
            # phi(X) B^T / L = phi (X B^T / L) + b_phi mu^T
            nodes = _matrix(self.conv_state, exact) @ second  # (B, S, N)
            nodes = nodes + state_bias[:, None] * means[:, :1]
            if not self.normalize:
                nodes = nodes * length
            for gcn in self._gcns():
                nodes = gcn(nodes.to(gcn.conv1.weight.dtype))
            extended = _matrix(self.conv_extend, exact) @ nodes.to(exact)  # U, (B, C, N)
            mean = (extended @ means[:, -1, :, None])[:, :, 0]  # (B, C)
            if self.conv_extend.bias is not None:  # as fuse_conv_bn leaves it
                mean = mean + self.conv_extend.bias
            weight, shift = fold_norm(self.blocker, extended, mean, sigma, length)
            return spread(x, centered, weight, shift)

    def takes_interaction_space(self, length: int | None) -> bool:
        """Whether an input goes through the interaction space.

        Args:
            length: Its number of positions L; None for any, as where statistics are taken over
                several processes.

        Raises:
            ConfigError: ``order="interaction"`` can't be had any more.
        """
        if self.order == "coordinate":
            return False
        if self.order == "interaction":
            self._check_order()
            return True
        return self._obstacle() is None and costs_less_in_interaction_space(
            self.in_channels,
            self.num_nodes,
            self.num_states,
            length,
            shared=self.share_projection,
            covariance=takes_batch_statistics(self.blocker),
        )

    def _check_order(self) -> None:
        obstacle = self._obstacle() if self.order == "interaction" else None
        if obstacle:
            raise ConfigError(
                f'order is "interaction", which can\'t be had: {obstacle}. Use order="auto" or '
                '"coordinate"'
            )

    def _obstacle(self) -> str | None:
        """Why the small matrices can't stand for calls of the submodules, or None."""
        if not is_foldable(self.blocker):
            return f"the last norm is {type(self.blocker).__name__}, not BatchNorm"
        for name in ("conv_state", "conv_proj", "conv_reproj", "conv_extend", "blocker"):
            module = getattr(self, name, None)
            if module is None:
                continue
            if name != "blocker" and type(module).forward is not _CONVS[self.ndim].forward:
                return f"{name} is {type(module).__name__}, not {_CONVS[self.ndim].__name__}"
            if name != "blocker" and not _is_pointwise(module, needs_bias=name != "conv_extend"):
                return f"{name} is no 1x1 convolution of the kind that the unit makes"
            if any(getattr(module, hooks) for hooks in _HOOKS):
                return f"{name} has a hook, and would not be called"
        return None

    def _outgrows_fp16(self, x: Tensor) -> bool:
        """Whether a sum over positions that is not divided by L could overflow fp16."""
        return not self.normalize and _compute_dtype(x) == torch.float16

    def _gcns(self) -> list[Any]:
        return [self.gcn, *(self.get_submodule(name) for name in self._extra_gcns)]

    def _check_input(self, x: Tensor) -> None:
        if x.dim() != self.ndim + 2 or x.shape[1] != self.in_channels:
            sizes = ", ".join(("T", "H", "W")[3 - self.ndim :])
            raise ConfigError(
                f"GloReUnit(in_channels={self.in_channels}, ndim={self.ndim}) takes "
                f"(B, {self.in_channels}, {sizes}), got a tensor of shape {tuple(x.shape)}"
            )
        check_norm_positions(self.blocker, x, where="GloReUnit")

    def extra_repr(self) -> str:
        """What ``print`` shows besides the sub-modules."""
        return (
            f"nodes={self.num_nodes}, states={self.num_states}, normalize={self.normalize}, "
            f"share_projection={self.share_projection}, zero_init={self.zero_init}, "
            f"order={self.order!r}"
        )


def _compute_dtype(x: Tensor) -> torch.dtype:
    """What matrix products of ``x`` are taken in: its dtype, or autocast's."""
    device = x.device.type
    if in_autocast(device) and x.dtype != torch.float64:
        return get_autocast_dtype(device)
    return x.dtype


def _matrix(conv: Any, dtype: torch.dtype) -> Tensor:
    """A 1x1 kernel as its matrix, (out, in)."""
    return conv.weight.flatten(1).to(dtype)


def _is_pointwise(conv: Any, *, needs_bias: bool) -> bool:
    """Whether a convolution is a matrix on the channels, and has the bias that is counted on."""
    ones = {*conv.kernel_size, *conv.stride, conv.groups}
    padding = conv.padding if isinstance(conv.padding, tuple) else (0,)
    return ones == {1} and set(padding) == {0} and not (needs_bias and conv.bias is None)


def _no_autocast(device: str) -> AbstractContextManager:
    # Some devices, such as meta, know no autocast at all.
    return torch.autocast(device, enabled=False) if in_autocast(device) else nullcontext()
