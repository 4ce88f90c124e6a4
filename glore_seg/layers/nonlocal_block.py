"""The non-local block of https://arxiv.org/abs/1711.07971, to which the paper compares its unit.

Shape legend: B batch, C channels, E embedding channels, L positions, P positions of the keys.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from glore_seg.layers.arguments import (
    BATCH_NORMS,
    CONVS,
    check_choice,
    check_count,
    check_input,
)

# Space alone is pooled: a clip keeps its frames.
_POOLS: dict[int, Callable[[], nn.Module]] = {
    1: partial(nn.MaxPool1d, 2, ceil_mode=True),
    2: partial(nn.MaxPool2d, 2, ceil_mode=True),
    3: partial(nn.MaxPool3d, (1, 2, 2), ceil_mode=True),
}


class NonLocalBlock(nn.Module):
    r"""Self-attention over all positions, added to the input.

    The embedded Gaussian form: with queries :math:`\theta(X)`, keys :math:`\phi(X)` and values
    :math:`g(X)`, all E x L, and the scale of its authors' code,

    .. math:: Y = X + \mathrm{norm}(W\,g(X)\,\mathrm{softmax}(\phi(X)^T\theta(X) / \sqrt{E}))

    Table 5 and Figure 4 of https://arxiv.org/abs/1811.12814 use it in place of GloRe units.

    Args:
        channels: Channels C of the input and the output.
        dimensions: Number of spatial and temporal dimensions, 1, 2 or 3.
        inter_channels: Embedding channels E. Default: C / 2.
        pooled: Max-pool the input of keys and values by 2 in space, before their 1x1
            convolutions; in three dimensions by (1, 2, 2). Odd sizes are rounded up.
        zero_init: Initialize the scale of the last norm with 0, so that a new block is the
            identity.
        norm_layer: Called with C, returns the last norm. Default: BatchNorm with the eps of
            1e-4 of the released GloRe networks.

    Shape:
        - Input: (B, C, \*sizes) with ``dimensions`` sizes of any values
        - Output: the same

    Raises:
        ConfigError: An argument is outside its range, or the input has another number of
            dimensions or channels.

    Example:
        >>> import torch
        >>> NonLocalBlock(64, pooled=True)(torch.rand(2, 64, 9, 14)).shape
        torch.Size([2, 64, 9, 14])
    """

    def __init__(
        self,
        channels: int,
        *,
        dimensions: int = 2,
        inter_channels: int | None = None,
        pooled: bool = False,
        zero_init: bool = True,
        norm_layer: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_choice("dimensions", dimensions, CONVS)
        inter_channels = channels // 2 if inter_channels is None else inter_channels
        check_count("inter_channels", inter_channels, at_least=1)
        conv = partial(CONVS[dimensions], kernel_size=1)
        self.channels = channels
        self.inter_channels = inter_channels
        self.dimensions = dimensions
        self.pooled = pooled
        self.zero_init = zero_init
        self.pool = _POOLS[dimensions]() if pooled else nn.Identity()
        self.theta = conv(channels, inter_channels)
        self.phi = conv(channels, inter_channels)
        self.g = conv(channels, inter_channels)
        # Registered one after the other: fuse_conv_bn relies on the order.
        self.conv_out = conv(inter_channels, channels)
        self.norm = (norm_layer or partial(BATCH_NORMS[dimensions], eps=1e-4))(channels)
        weight = getattr(self.norm, "weight", None)
        if zero_init and isinstance(weight, Tensor):
            nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` plus the result of the attention."""
        check_input("NonLocalBlock", x, channels=self.channels, ndim=self.dimensions)
        source = self.pool(x)
        # One head; the L x P attention matrix is not stored.
        out = functional.scaled_dot_product_attention(
            _rows(self.theta(x)), _rows(self.phi(source)), _rows(self.g(source))
        )  # (B, 1, L, E)
        out = out[:, 0].transpose(1, 2).unflatten(2, x.shape[2:])  # (B, E, *sizes)
        return x + self.norm(self.conv_out(out))

    def extra_repr(self) -> str:
        """What ``print`` shows besides the submodules."""
        return f"pooled={self.pooled}, zero_init={self.zero_init}"


def _rows(x: Tensor) -> Tensor:
    """(B, E, *sizes) as (B, 1, L, E)."""
    return x.flatten(2).transpose(1, 2)[:, None]
