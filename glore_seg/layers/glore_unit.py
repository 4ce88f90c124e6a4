"""The Global Reasoning unit, Section 3 and Fig. 2 of https://arxiv.org/abs/1811.12814.

Shape legend: B batch, C channels, L positions (all spatial and temporal sizes multiplied),
N nodes, S states (features of a node).
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import get_args

import torch
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import (
    BATCH_NORMS,
    CONVS,
    check_choice,
    check_count,
    check_input,
)
from glore_seg.layers.evaluation_order import Order
from glore_seg.layers.factored_unit import chooses_factored, forward_factored, require_factorable
from glore_seg.layers.graph_conv import ActPosition, GraphConv
from glore_seg.layers.half_precision import in_autocast, mean_product, sums_overflow
from glore_seg.layers.interaction_norm import is_synchronized


class GloReUnit(nn.Module):
    r"""Reasons over distant regions on a small graph and adds the result to its input.

    With the projection weights :math:`B = \theta(X)` (N x L) and the reduced features
    :math:`\phi(X)` (S x L):

    1. coordinate to interaction space: :math:`V = \phi(X) B^T` (Eq. 1), divided by L with
       ``normalize``;
    2. reasoning: :math:`Z = ((I - A_g) V) W_g` (Eq. 2), once per graph convolution;
    3. back to coordinate space: :math:`Y = Z D` (Eq. 3 and 4), with :math:`D = B` unless
       ``share_projection=False``;
    4. extension to C channels, a norm, plus X.

    Nodes and positions are columns here and rows in the paper. The parameters have the released
    names (``conv_state``, ``conv_proj``, ``gcn``, ``conv_extend``, ``blocker``), whose weights
    load unchanged.

    Args:
        in_channels: Channels C of the input and the output.
        num_nodes: Graph nodes N. Default: C / 4, as in Section 4.1.
        num_states: Features S of a node. Default: 2 N.
        ndim: Number of spatial and temporal dimensions, 1, 2 or 3 (Section 3.5).
        num_graph_convs: Graph convolutions in a row, 1 to 3 (Table 1).
        normalize: Divide the sum over positions by their number. Needed when the input size
            varies, as in segmentation; the released classification and video networks do not
            divide.
        share_projection: Use ``D = B``. With ``False`` a separate 1x1 convolution,
            ``conv_reproj``, predicts D (Section 3.4).
        act_position: Position of the ReLU in a graph convolution, see :class:`GraphConv`.
        zero_init: Initialize the scale of the last norm with 0, so that a new unit is the identity
            (on in the released code, off in the paper's comparison with non-local blocks).
        norm_layer: Called with C, returns the last norm. Default: BatchNorm with the released
            eps of 1e-4.
        order: Order of the matrix products; the function is the same. ``"coordinate"`` is the
            paper's, on maps over all positions. ``"interaction"`` evaluates reduction, extension
            and BatchNorm on small matrices, see :mod:`glore_seg.layers.factored_unit`; it needs
            BatchNorm (or none) as the last norm and submodules without hooks. ``"auto"`` counts
            for each input which costs less, and uses the paper's where the other is impossible.

    Shape:
        - Input: (B, C, \*sizes) with ``ndim`` sizes of any values
        - Output: the same

    Raises:
        ConfigError: An argument is outside its range, the input has another number of dimensions
            or channels, or ``order="interaction"`` is impossible.

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
        check_choice("ndim", ndim, CONVS)
        if not 1 <= num_graph_convs <= 3:
            raise ConfigError(f"num_graph_convs must be 1, 2 or 3 (Table 1), got {num_graph_convs}")
        check_choice("order", order, get_args(Order))
        if num_nodes is None:
            check_count("in_channels", in_channels, at_least=4)  # N = C / 4
            num_nodes = in_channels // 4
        num_states = 2 * num_nodes if num_states is None else num_states
        gcns = [
            GraphConv(num_nodes, num_states, act_position=act_position)
            for _ in range(num_graph_convs)
        ]
        conv = partial(CONVS[ndim], kernel_size=1)
        self.in_channels = in_channels
        self.num_nodes = num_nodes
        self.num_states = num_states
        self.ndim = ndim
        self.num_graph_convs = num_graph_convs
        self.normalize = normalize
        self.share_projection = share_projection
        self.zero_init = zero_init
        self.order: Order = order
        self.conv_state = conv(in_channels, num_states)
        self.conv_proj = conv(in_channels, num_nodes)
        # The first graph convolution has the released name; gcn2 and gcn3 follow.
        self.gcn = gcns[0]
        for number, gcn in enumerate(gcns[1:], start=2):
            self.add_module(f"gcn{number}", gcn)
        if not share_projection:
            self.conv_reproj = conv(in_channels, num_nodes)
        # Registered one after the other: fuse_conv_bn relies on the order.
        self.conv_extend = conv(num_states, in_channels, bias=False)
        self.blocker = (norm_layer or partial(BATCH_NORMS[ndim], eps=1e-4))(in_channels)
        self._init_norm()
        if order == "interaction":
            require_factorable(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` plus the result of reasoning on its graph."""
        check_input("GloReUnit", x, channels=self.in_channels, ndim=self.ndim)
        # Processes that share statistics must choose the same, whatever their input sizes.
        length = None if is_synchronized(self.blocker) else prod(x.shape[2:])
        if chooses_factored(self, length):
            return forward_factored(self, x)
        phi = self.conv_state(x).flatten(2)  # (B, S, L)
        b = self.conv_proj(x).flatten(2)  # (B, N, L)
        d = b if self.share_projection else self.conv_reproj(x).flatten(2)  # (B, N, L)
        if in_autocast(x) and sums_overflow(self, x):
            with torch.autocast(x.device.type, enabled=False):
                out = self._reason(phi.float(), b.float(), d.float(), x.shape[2:])
            return x + out.to(x.dtype)
        return x + self._reason(phi, b, d, x.shape[2:])

    def _reason(self, phi: Tensor, b: Tensor, d: Tensor, sizes: torch.Size) -> Tensor:
        """Eq. 1 to 4 and the extension: (B, S, L), (B, N, L), (B, N, L) -> (B, C, *sizes)."""
        v = mean_product(phi, b) if self.normalize else phi @ b.mT  # Eq. 1, (B, S, N)
        z = self.reason(v)  # Eq. 2, (B, S, N)
        y = z @ d  # Eq. 3 and 4, (B, S, L)
        return self.blocker(self.conv_extend(y.unflatten(2, sizes)))  # (B, C, *sizes)

    def reason(self, nodes: Tensor) -> Tensor:
        """Apply the graph convolutions, Eq. 2: (B, S, N) -> (B, S, N)."""
        for name in ("gcn", "gcn2", "gcn3")[: self.num_graph_convs]:
            nodes = getattr(self, name)(nodes)
        return nodes

    def project(self, x: Tensor) -> Tensor:
        """Return the projection weights b_i, (B, N, *sizes): Fig. 7 shows them for each node.

        Raises:
            ConfigError: The input has another number of dimensions or channels.
        """
        check_input("GloReUnit", x, channels=self.in_channels, ndim=self.ndim)
        return self.conv_proj(x)  # (B, N, *sizes)

    def reset_parameters(self) -> None:
        """Initialize again: torch's default initialization, and the last norm by ``zero_init``."""
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)
            if module is not self and callable(reset):
                reset()
        self._init_norm()

    def _init_norm(self) -> None:
        weight = getattr(self.blocker, "weight", None)
        if self.zero_init and isinstance(weight, Tensor):
            nn.init.zeros_(weight)

    def extra_repr(self) -> str:
        """What ``print`` shows besides the submodules."""
        return (
            f"nodes={self.num_nodes}, states={self.num_states}, normalize={self.normalize}, "
            f"share_projection={self.share_projection}, zero_init={self.zero_init}, "
            f"order={self.order!r}"
        )
