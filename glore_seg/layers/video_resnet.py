"""The 3D ResNets of Section 4.4, with the parameter names of the released networks.

Shape legend: B batch, C channels, T frames, H height, W width, K classes.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_choice, check_input
from glore_seg.layers.extra_units import UnitType, stage_positions, unit_builder
from glore_seg.layers.glore_unit import GloReUnit
from glore_seg.layers.nonlocal_block import NonLocalBlock
from glore_seg.layers.preact.blocks import PreActBlock, Stage, build_tail

# Residual blocks in conv2 to conv5. 26 is not in the paper: a small network for small data.
_BLOCKS = {26: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
_STRIDES = ((1, 1, 1), (2, 2, 2), (1, 2, 2), (1, 2, 2))
_NORM = partial(nn.BatchNorm3d, eps=1e-4)


class VideoResNet(nn.Module):
    """Pre-activation 3D ResNet with global units between its blocks (Section 4.4, Table 5).

    The released "lite" network: a stem of 3 x 5 x 5 with half of the usual channels, and temporal
    kernels of 3 x 1 x 1 in every block of conv2, in every other block of conv3 and conv4, and in
    the second of conv5. State-dict names are the released ones (``conv2.B01.conv_m1.bn``,
    ``conv3.B01_extra``, ``tail.bn``, ``classifier``), so released weights load unchanged. Global
    pooling is the released window of 4 x 7 x 7 for the released clips of 8 x 224 x 224.

    Args:
        depth: 50 or 101 as in the paper, or 26 (two blocks per stage).
        num_classes: Classes K; None for no dropout and classifier.
        num_units: Units in conv2 to conv5, evenly spaced. Default: two and three, the paper's
            choice, at the released positions; ``(0, 0, 0, 0)`` is the plain network.
        unit_type: ``"glore"`` (N = C / 4 nodes of S = 2 N states, not divided by the number of
            positions), ``"nonlocal"``, or ``"nonlocal-pooled"`` (the paper's baseline, keys and
            values max-pooled over 1 x 2 x 2).
        base_channels: Middle channels of conv2, an even number; 64 as released.
        dropout: Dropout ratio before the classifier, 0 to 1.

    Shape:
        - Input: (B, 3, T, H, W), any T, H and W
        - Output: (B, K), or the features (B, 32 * base_channels, ceil(T / 2), ceil(H / 32),
          ceil(W / 32)) without a classifier

    Raises:
        ConfigError: An argument is outside its range, or the input is not a batch of clips.

    Example:
        >>> import torch
        >>> net = VideoResNet(26, num_classes=5, num_units=(0, 1, 1, 0), base_channels=8)
        >>> net(torch.rand(2, 3, 4, 32, 48)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        depth: int = 50,
        *,
        num_classes: int | None = 400,
        num_units: Sequence[int] = (0, 2, 3, 0),
        unit_type: UnitType = "glore",
        base_channels: int = 64,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_choice("depth", depth, _BLOCKS)
        if base_channels < 2 or base_channels % 2:
            raise ConfigError(f"base_channels must be even and at least 2, got {base_channels}")
        options = {"ndim": 3, "normalize": False} if unit_type == "glore" else {"dimensions": 3}
        build_unit = unit_builder(unit_type, **options)
        channels = base_channels // 2
        self.conv1 = nn.Sequential(
            OrderedDict(
                conv=nn.Conv3d(3, channels, (3, 5, 5), (1, 2, 2), (1, 2, 2), bias=False),
                bn=_NORM(channels),
                relu=nn.ReLU(inplace=True),
                max_pool=nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            )
        )
        positions = stage_positions(_BLOCKS[depth], num_units, None)
        for stage, blocks in enumerate(_BLOCKS[depth]):
            middle = base_channels * 2**stage
            layer = _build_stage(stage, channels, middle, blocks, positions[stage], build_unit)
            channels = 4 * middle
            self.add_module(f"conv{stage + 2}", layer)
        self.tail = build_tail(channels, norm_layer=_NORM)
        self.feature_channels = channels
        if num_classes is not None:
            self.globalpool = nn.AdaptiveAvgPool3d(1)
            self.dropout = nn.Dropout(dropout)
            self.classifier = nn.Linear(channels, num_classes)
        self.num_classes = num_classes
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialize as released: Xavier, biases 0, norms 1 and 0, and every unit the identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Conv3d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm3d):
                module.reset_parameters()
        self.silence_units()

    def silence_units(self) -> None:
        """Set the scale of each unit's last norm to 0, so that the unit is the identity."""
        for unit in self.units().values():
            name = "blocker" if isinstance(unit, GloReUnit) else "norm"
            nn.init.zeros_(unit.get_parameter(f"{name}.weight"))

    def units(self) -> dict[str, GloReUnit | NonLocalBlock]:
        """Return the units by their dotted names, from input to output."""
        kinds = (GloReUnit, NonLocalBlock)
        return {name: m for name, m in self.named_modules() if isinstance(m, kinds)}

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, or features without a classifier."""
        check_input("VideoResNet", x, channels=3, ndim=3)
        for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "tail"):
            x = self.get_submodule(name)(x)
        if self.num_classes is None:
            return x
        return self.classifier(self.dropout(self.globalpool(x).flatten(1)))


def _build_stage(
    stage: int,
    in_channels: int,
    middle: int,
    blocks: int,
    positions: Sequence[int],
    build_unit: Callable[[int], nn.Module],
) -> Stage:
    layers = []
    for number in range(1, blocks + 1):
        odd = number % 2 == 1
        frames = 3 if (True, odd, odd, number == 2)[stage] else 1
        block = PreActBlock(
            in_channels,
            middle,
            4 * middle,
            kernels=((frames, 1, 1), (1, 3, 3), (1, 1, 1)),
            stride=_STRIDES[stage] if number == 1 else 1,
            project=number == 1,
            norm_layer=_NORM,
        )
        layers.append(block)
        in_channels = 4 * middle
    return Stage(layers, {p: build_unit(in_channels) for p in positions}, in_channels)
