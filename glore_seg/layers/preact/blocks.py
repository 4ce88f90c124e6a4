"""Blocks and stages of pre-activation networks: residual, squeeze-and-excitation, or dual-path.

Module names are those of the released networks. Shape legend: B batch, C channels of the residual
path, on which units act, A channels appended by earlier blocks, I channels that a block appends.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glore_seg.layers.arguments import CONVS

NormLayer = Callable[[int], nn.Module]
RELEASED_NORM: NormLayer = partial(nn.BatchNorm2d, eps=1e-4)
BASIC = ((3, 3), (3, 3))
BOTTLENECK = ((1, 1), (3, 3), (1, 1))
_UNIT = "_extra"


class PreActConv(nn.Module):
    """Norm, ReLU and padded convolution, in two or three dimensions."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        dilation: int = 1,
        groups: int = 1,
        norm_layer: NormLayer = RELEASED_NORM,
    ) -> None:
        super().__init__()
        self.bn = norm_layer(in_channels)
        self.relu = nn.ReLU(inplace=True)
        conv: Any = CONVS[len(kernel_size)]
        self.conv = conv(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=tuple(dilation * (side // 2) for side in kernel_size),
            dilation=dilation,
            groups=groups,
            bias=False,
        )
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Activate, then convolve."""
        return self.conv(self.relu(self.bn(x)))


class SqueezeExcitation(nn.Module):
    """Channel attention from pooled features, https://arxiv.org/abs/1709.01507."""

    def __init__(self, channels: int, reduced_channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, reduced_channels, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(reduced_channels, channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with weighted channels."""
        return x * self.sigmoid(self.fc2(self.relu(self.fc1(self.pool(x)))))


class PreActBlock(nn.Module):
    """A pre-activation block, https://arxiv.org/abs/1603.05027, in two or three dimensions.

    With ``increment``, a block of a dual-path network (https://arxiv.org/abs/1707.01629): it adds
    to the first C channels and appends I to the others.

    Args:
        in_channels: Channels of the input, C + A without ``project``.
        mid_channels: Channels inside.
        out_channels: Channels C of the residual path.
        kernels: Sizes of the kernels, two or three: a basic block or a bottleneck.
        stride: Of a basic block's first convolution or a bottleneck's second, and of the shortcut.
        dilations: Of the convolution with the stride, and of a basic block's other one.
        groups: Of a bottleneck's second convolution.
        squeeze: Reduction of squeeze-and-excitation after the last convolution, in two dimensions
            only; 0 for none.
        increment: Channels I that the block appends.
        project: Whether the shortcut is a 1x1 convolution, which appends A = 2 I channels.
        norm_layer: Called with a number of channels, returns a norm.

    Shape:
        - Input: (B, in_channels, *sizes)
        - Output: (B, C + A + I, *sizes / stride)
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        *,
        kernels: Sequence[tuple[int, ...]] = BOTTLENECK,
        stride: int | tuple[int, ...] = 1,
        dilations: tuple[int, int] = (1, 1),
        groups: int = 1,
        squeeze: int = 0,
        increment: int = 0,
        project: bool = False,
        norm_layer: NormLayer = RELEASED_NORM,
    ) -> None:
        super().__init__()
        conv = partial(PreActConv, norm_layer=norm_layer)
        last_channels = out_channels + increment
        strided: dict[str, Any] = {"stride": stride, "dilation": dilations[0]}
        if len(kernels) == 3:
            self.conv_m1 = conv(in_channels, mid_channels, kernels[0])
            self.conv_m2 = conv(mid_channels, mid_channels, kernels[1], groups=groups, **strided)
            self.conv_m3: nn.Module = conv(mid_channels, last_channels, kernels[2])
        else:
            self.conv_m1 = conv(in_channels, mid_channels, kernels[0], **strided)
            self.conv_m2 = conv(mid_channels, last_channels, kernels[1], dilation=dilations[1])
            self.conv_m3 = nn.Identity()
        self.se = (
            SqueezeExcitation(last_channels, max(1, last_channels // squeeze)) if squeeze else None
        )
        one = (1,) * len(kernels[0])
        self.conv_w1 = (
            conv(in_channels, out_channels + 2 * increment, one, stride=stride) if project else None
        )
        self.out_channels = out_channels
        self.increment = increment

    def forward(self, x: Tensor) -> Tensor:
        """Add the convolutions' output to the input or its projection."""
        shortcut = x if self.conv_w1 is None else self.conv_w1(x)  # (B, C + A, *sizes)
        out = self.conv_m3(self.conv_m2(self.conv_m1(x)))  # (B, C + I, *sizes)
        if self.se is not None:
            out = self.se(out)
        if not self.increment:
            return shortcut + out
        count = self.out_channels
        added = shortcut[:, :count] + out[:, :count]
        return torch.cat([added, shortcut[:, count:], out[:, count:]], 1)  # (B, C + A + I, *sizes)


class Stage(nn.Module):
    """Blocks ``B01``, ``B02``, ..., and after block p its unit, such as ``B01_extra``.

    Args:
        blocks: The blocks in their order.
        units: Units by the number of the block that they follow.
        unit_channels: Channels C that a unit takes, the first of a block's output.
    """

    def __init__(
        self, blocks: Sequence[nn.Module], units: Mapping[int, nn.Module], unit_channels: int
    ) -> None:
        super().__init__()
        self.unit_channels = unit_channels
        for number, block in enumerate(blocks, start=1):
            self.add_module(f"B{number:02}", block)
            if number in units:
                self.add_module(f"B{number:02}{_UNIT}", units[number])

    def units(self) -> dict[str, nn.Module]:
        """Units by their names."""
        return {n: child for n, child in self.named_children() if n.endswith(_UNIT)}

    def forward(self, x: Tensor) -> Tensor:
        """Run the blocks, each followed by its unit."""
        for name, child in self.named_children():
            if not name.endswith(_UNIT) or x.shape[1] == self.unit_channels:
                x = child(x)
            else:
                count = self.unit_channels
                x = torch.cat([child(x[:, :count]), x[:, count:]], 1)  # (B, C + A, *sizes)
        return x


def build_stem(
    in_channels: int, out_channels: int, kernel_size: int, *, norm_layer: NormLayer
) -> nn.Sequential:
    """One convolution of stride 2, norm, ReLU, and a max pool of stride 2."""
    conv = nn.Conv2d(
        in_channels, out_channels, kernel_size, stride=2, padding=kernel_size // 2, bias=False
    )
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    norm, relu = norm_layer(out_channels), nn.ReLU(inplace=True)
    return nn.Sequential(OrderedDict(conv=conv, bn=norm, relu=relu, pool=pool))


def build_tail(channels: int, *, norm_layer: NormLayer) -> nn.Sequential:
    """The last norm and ReLU."""
    return nn.Sequential(OrderedDict(bn=norm_layer(channels), relu=nn.ReLU(inplace=True)))
