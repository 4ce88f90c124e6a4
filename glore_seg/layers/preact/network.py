"""All of the paper's networks in one class, and with a classifier.

Shape legend: B batch, C channels.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_choice
from glore_seg.layers.extra_units import UnitType, stage_positions, unit_builder
from glore_seg.layers.preact.architectures import Architecture, find_architecture
from glore_seg.layers.preact.blocks import (
    BASIC,
    BOTTLENECK,
    RELEASED_NORM,
    NormLayer,
    PreActBlock,
    Stage,
    build_stem,
    build_tail,
)

# Kernel size and channels of the stem; the released "lite" networks have 5x5 and 32.
_STEMS: dict[str, tuple[int, int | None]] = {"7x7": (7, None), "5x5": (5, 32)}
# Stride and dilation of each stage.
_RATES = {
    32: ((1, 2, 2, 2), (1, 1, 1, 1)),
    16: ((1, 2, 2, 1), (1, 1, 1, 2)),
    8: ((1, 2, 1, 1), (1, 1, 2, 4)),
}


class PreActNet(nn.Module):
    r"""A pre-activation network with GloRe units or non-local blocks between its blocks (Table 2).

    BN, ReLU and convolution in this order, strides on the 3x3 convolutions, and BN and ReLU
    after the last stage. Module names are those of the released networks: ``conv1``; ``conv2`` to
    ``conv5`` with blocks ``B01``, ``B02``, ... and a unit ``B01_extra`` after block 1; ``tail``.

    Args:
        arch: ``"resnet18"``, ``"resnet34"``, ``"resnet50"``, ``"resnet101"``, ``"resnet152"``,
            ``"resnet200"``, ``"se-resnet50"``, ``"resnext101-32x4d"``, ``"dpn98"`` or ``"dpn131"``.
        num_units: Units of each stage, inserted evenly; ``(0, 2, 3, 0)`` is the paper's two on
            Res3 and three on Res4.
        unit_positions: Explicit positions instead of ``num_units``, for each stage; a unit at p
            follows block p.
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        unit_cfg: Arguments of the units, see :class:`glore_seg.layers.GloReUnit` and
            :class:`glore_seg.layers.NonLocalBlock`: ``num_graph_convs`` (Table 1), ``zero_init``,
            ``normalize``, ... In dual-path networks a unit acts on the residual channels.
        stem: ``"7x7"``, or ``"5x5"`` with 32 channels as in the released "lite" networks.
        output_stride: 32, or 16 or 8 with dilated convolutions instead of the last strides, for
            segmentation.
        multi_grid: Dilations of the blocks of the last stage, as in mmseg: (4, 8, 16) is the
            (1, 2, 4) of DeepLabv3 at output stride 8.
        out_indices: Stages to return, 0 to 3.
        width: Factor of all numbers of channels, for small networks.
        in_channels: Channels of the images.
        norm_layer: Called with a number of channels, returns a norm. Default: BatchNorm with the
            released eps of 1e-4.

    Attributes:
        feature_channels: Channels of the four stages. In dual-path networks these are the
            residual channels (``unit_channels``), then the appended ones.
        unit_channels: Channels on which the units of each stage act.

    Shape:
        - Input: (B, in_channels, H, W)
        - Output: a tuple of (B, feature_channels[i], H / stride_i, W / stride_i), rounded up,
          for each i of ``out_indices``. The last stage ends with norm and ReLU, the others
          with a sum.

    Raises:
        ConfigError: An argument is outside its range, see there.

    Example:
        >>> import torch
        >>> net = PreActNet("resnet50", num_units=(0, 2, 3, 0), width=0.25).eval()
        >>> net(torch.rand(1, 3, 64, 64))[-1].shape
        torch.Size([1, 512, 2, 2])
    """

    def __init__(
        self,
        arch: str,
        *,
        num_units: Sequence[int] | None = None,
        unit_positions: Sequence[Sequence[int]] | None = None,
        unit_type: UnitType = "glore",
        unit_cfg: dict[str, Any] | None = None,
        stem: str = "7x7",
        output_stride: int = 32,
        multi_grid: Sequence[int] | None = None,
        out_indices: Sequence[int] = (3,),
        width: float = 1.0,
        in_channels: int = 3,
        norm_layer: NormLayer | None = None,
    ) -> None:
        super().__init__()
        check_choice("stem", stem, _STEMS)
        kernel_size, stem_channels = _STEMS[stem]
        spec = find_architecture(arch)
        spec = replace(spec, stem_channels=stem_channels or spec.stem_channels).narrowed(width)
        positions = stage_positions(spec.blocks, num_units, unit_positions)
        strides, dilations = _block_rates(spec, output_stride, multi_grid)
        if not out_indices or any(index not in range(4) for index in out_indices):
            raise ConfigError(
                f"out_indices is {tuple(out_indices)}; expected some of 0 to 3: Res2 to Res5"
            )
        norm_layer = norm_layer or RELEASED_NORM
        build_unit = unit_builder(unit_type, norm_layer=norm_layer, **(unit_cfg or {}))
        self.arch = arch
        self.out_indices = tuple(out_indices)
        self.unit_channels = spec.out_channels
        self.feature_channels = spec.feature_channels()
        channels = spec.stem_channels
        self.conv1 = build_stem(in_channels, channels, kernel_size, norm_layer=norm_layer)
        stages = []
        for stage, numbers in enumerate(positions):
            blocks = _blocks(
                spec, stage, channels, strides[stage], dilations[stage], norm_layer=norm_layer
            )
            count = spec.out_channels[stage]
            stages.append(Stage(blocks, {n: build_unit(count) for n in numbers}, count))
            channels = self.feature_channels[stage]
        self.conv2, self.conv3, self.conv4, self.conv5 = stages
        self.tail = build_tail(channels, norm_layer=norm_layer)

    def stages(self) -> tuple[Stage, ...]:
        """Res2 to Res5."""
        return self.conv2, self.conv3, self.conv4, self.conv5

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the features of the stages in ``out_indices``, in rising order."""
        x = self.conv1(x)
        outs = []
        for index, stage in enumerate(self.stages()):
            x = stage(x)
            if index in self.out_indices:
                outs.append(self.tail(x) if index == 3 else x)
        return tuple(outs)


class PreActClassifier(nn.Module):
    """:class:`PreActNet`, average pooling and one linear layer.

    Its parameters have the names of mmpretrain's ``ImageClassifier`` with
    :class:`glore_seg.models.GloRePreActNet`, so that checkpoints fit both.

    Args:
        arch: See :class:`PreActNet`.
        num_classes: Number of classes.
        **options: Other arguments of :class:`PreActNet`, except ``out_indices``.

    Shape:
        - Input: (B, in_channels, H, W)
        - Output: logits, (B, num_classes)

    Raises:
        ConfigError: As :class:`PreActNet`.

    Example:
        >>> import torch
        >>> PreActClassifier("resnet18", num_classes=10, width=0.25)(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """

    def __init__(self, arch: str, *, num_classes: int = 1000, **options: Any) -> None:
        super().__init__()
        self.backbone = PreActNet(arch, out_indices=(3,), **options)
        linear = nn.Linear(self.backbone.feature_channels[-1], num_classes)
        self.head = nn.Sequential(OrderedDict(fc=linear))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        (features,) = self.backbone(x)  # (B, C, H / 32, W / 32)
        return self.head(features.mean((2, 3)))


def _block_rates(
    spec: Architecture, output_stride: int, multi_grid: Sequence[int] | None
) -> tuple[tuple[int, ...], list[list[tuple[int, int]]]]:
    """Strides of the stages, and dilations of the 3x3 convolutions of every block."""
    check_choice("output_stride", output_stride, _RATES)
    strides, rates = _RATES[output_stride]
    # A convolution whose stride was removed keeps the dilation of the stage before it.
    before = (1, *rates[:-1])
    dilations = [
        [(old, new), *[(new, new)] * (count - 1)]
        for old, new, count in zip(before, rates, spec.blocks, strict=True)
    ]
    if multi_grid is not None:
        if len(multi_grid) != spec.blocks[-1] or min(multi_grid) < 1:
            raise ConfigError(
                f"multi_grid is {tuple(multi_grid)}; expected one rate of 1 or more for each of "
                f"the {spec.blocks[-1]} blocks of the last stage"
            )
        dilations[-1] = [(rate, rate) for rate in multi_grid]
    return strides, dilations


def _blocks(
    spec: Architecture,
    stage: int,
    in_channels: int,
    stride: int,
    dilations: list[tuple[int, int]],
    *,
    norm_layer: NormLayer,
) -> list[PreActBlock]:
    """Blocks of a stage; the first has the stride, and a projection if the sizes change.

    A dual path always begins with one, which appends channels.
    """
    out_channels, increment = spec.out_channels[stage], spec.increments[stage]
    blocks = []
    for number, rates in enumerate(dilations):
        block = PreActBlock(
            in_channels,
            spec.mid_channels[stage],
            out_channels,
            kernels=BOTTLENECK if spec.bottleneck else BASIC,
            stride=1 if number else stride,
            dilations=rates,
            groups=spec.groups,
            squeeze=spec.squeeze,
            increment=increment,
            project=number == 0 and (increment > 0 or in_channels != out_channels or stride > 1),
            norm_layer=norm_layer,
        )
        blocks.append(block)
        in_channels = out_channels + increment * (number + 3)
    return blocks
