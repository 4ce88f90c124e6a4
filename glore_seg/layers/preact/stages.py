"""Stem, stages and tail of a pre-activation network.

Shape legend: B batch, C channels of the residual path, on which units act, A channels appended.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from glore_seg.layers.preact.blocks import NormLayer

_UNIT = "_extra"


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


class Stage(nn.Module):
    """Blocks ``B01``, ``B02``, ..., and after block p its unit, such as ``B01_extra``.

    Args:
        blocks: The blocks in their order.
        units: Units by the number of the block that they follow.
        unit_channels: Channels C that a unit takes, the first of a block's output.

    Shape:
        - Input: that of the first block
        - Output: (B, C + A, H, W) of the last block
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
                x = torch.cat([child(x[:, :count]), x[:, count:]], 1)  # (B, C + A, H, W)
        return x
