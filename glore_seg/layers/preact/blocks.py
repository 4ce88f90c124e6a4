"""The block of pre-activation networks: residual, with squeeze-and-excitation, or dual-path.

Module names are those of the released networks. Shape legend: B batch, C channels of the residual
path, A channels appended by earlier blocks, I channels that a block appends.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

NormLayer = Callable[[int], nn.Module]
RELEASED_NORM: NormLayer = partial(nn.BatchNorm2d, eps=1e-4)


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
        conv: Any = {2: nn.Conv2d, 3: nn.Conv3d}[len(kernel_size)]
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
    """A pre-activation block, https://arxiv.org/abs/1603.05027.

    With ``increment``, a block of a dual-path network (https://arxiv.org/abs/1707.01629): it adds
    to the first C channels and appends I to the others.

    Args:
        in_channels: Channels of the input.
        mid_channels: Channels inside.
        out_channels: Channels C of the residual path.
        bottleneck: 1x1, 3x3, 1x1 instead of 3x3, 3x3.
        stride: Of the (first) 3x3 convolution and of the shortcut.
        dilations: Of the 3x3 convolution with the stride, and of the one after it.
        groups: Of the bottleneck's 3x3 convolution.
        squeeze: Reduction of squeeze-and-excitation after the last convolution; 0 for none.
        increment: Channels I that the block appends.
        project: Whether the shortcut is a 1x1 convolution, which appends 2 I channels.
        norm_layer: Called with a number of channels, returns a norm.

    Shape:
        - Input: (B, in_channels, H, W), which is C + A without ``project``
        - Output: (B, C + A + I, H / stride, W / stride); with ``project``, A is 2 I
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        *,
        bottleneck: bool = True,
        stride: int = 1,
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
        one, three = (1, 1), (3, 3)
        if bottleneck:
            self.conv_m1 = conv(in_channels, mid_channels, one)
            self.conv_m2 = conv(
                mid_channels,
                mid_channels,
                three,
                stride=stride,
                dilation=dilations[0],
                groups=groups,
            )
            self.conv_m3: nn.Module = conv(mid_channels, last_channels, one)
        else:
            self.conv_m1 = conv(
                in_channels, mid_channels, three, stride=stride, dilation=dilations[0]
            )
            self.conv_m2 = conv(mid_channels, last_channels, three, dilation=dilations[1])
            self.conv_m3 = nn.Identity()
        self.se = (
            SqueezeExcitation(last_channels, max(1, last_channels // squeeze)) if squeeze else None
        )
        self.conv_w1 = (
            conv(in_channels, out_channels + 2 * increment, one, stride=stride) if project else None
        )
        self.out_channels = out_channels
        self.increment = increment

    def forward(self, x: Tensor) -> Tensor:
        """Add the convolutions' output to the input or its projection."""
        shortcut = x if self.conv_w1 is None else self.conv_w1(x)  # (B, C + A, H, W)
        out = self.conv_m3(self.conv_m2(self.conv_m1(x)))  # (B, C + I, H, W)
        if self.se is not None:
            out = self.se(out)
        if not self.increment:
            return shortcut + out
        count = self.out_channels
        added = shortcut[:, :count] + out[:, :count]
        return torch.cat([added, shortcut[:, count:], out[:, count:]], 1)  # (B, C + A + I, H, W)
