"""Sizes of the networks of Table 2 and Figure 7."""

from dataclasses import dataclass, replace
from typing import Any

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_choice


@dataclass(frozen=True)
class Architecture:
    """Sizes of a network.

    Args:
        blocks: Blocks of each stage, Res2 to Res5.
        mid_channels: Channels inside a block, for each stage.
        out_channels: Channels of the residual path, for each stage.
        bottleneck: 1x1, 3x3, 1x1 convolutions in a block; otherwise two of 3x3.
        groups: Groups of the 3x3 convolution.
        squeeze: Reduction of squeeze-and-excitation after the last convolution; 0 for none.
        increments: Channels that each block appends in a dual-path network, for each stage.
        stem_channels: Channels of the 7x7 stem.
    """

    blocks: tuple[int, ...]
    mid_channels: tuple[int, ...] = (64, 128, 256, 512)
    out_channels: tuple[int, ...] = (256, 512, 1024, 2048)
    bottleneck: bool = True
    groups: int = 1
    squeeze: int = 0
    increments: tuple[int, ...] = (0, 0, 0, 0)
    stem_channels: int = 64

    def feature_channels(self) -> tuple[int, ...]:
        """Channels of each stage's output; the first shortcut of a dual path appends twice."""
        stages = zip(self.out_channels, self.increments, self.blocks, strict=True)
        return tuple(out + increment * (count + 2) for out, increment, count in stages)

    def narrowed(self, width: float) -> "Architecture":
        """Multiply every number of channels by ``width``, such as 0.25.

        Raises:
            ConfigError: That leaves no whole number of channels, or one that ``groups`` does not
                divide.
        """
        names = ("mid_channels", "out_channels", "increments")
        scaled: dict[str, Any] = {n: tuple(width * c for c in getattr(self, n)) for n in names}
        stem = width * self.stem_channels
        counts = (stem, *scaled["mid_channels"], *scaled["out_channels"], *scaled["increments"])
        if (
            width <= 0
            or any(count % 1 for count in counts)
            or any(count % self.groups for count in scaled["mid_channels"])
        ):
            raise ConfigError(
                f"width is {width}, which gives {scaled['mid_channels']} channels inside blocks "
                f"and {stem} of the stem; expected whole numbers, divisible by the "
                f"{self.groups} groups of the 3x3 convolutions: take a power of 2, such as 0.5"
            )
        whole: dict[str, Any] = {name: tuple(map(int, each)) for name, each in scaled.items()}
        return replace(self, stem_channels=int(stem), **whole)


_BASIC = Architecture(blocks=(2, 2, 2, 2), out_channels=(64, 128, 256, 512), bottleneck=False)
_DPN = Architecture(
    blocks=(3, 6, 20, 3),
    mid_channels=(160, 320, 640, 1280),
    groups=40,
    increments=(16, 32, 32, 128),
    stem_channels=96,
)

ARCHITECTURES: dict[str, Architecture] = {
    "resnet18": _BASIC,
    "resnet34": replace(_BASIC, blocks=(3, 4, 6, 3)),
    "resnet50": Architecture(blocks=(3, 4, 6, 3)),
    "resnet101": Architecture(blocks=(3, 4, 23, 3)),
    "resnet152": Architecture(blocks=(3, 8, 36, 3)),
    "resnet200": Architecture(blocks=(3, 24, 36, 3)),
    "se-resnet50": Architecture(blocks=(3, 4, 6, 3), squeeze=16),
    "resnext101-32x4d": Architecture(
        blocks=(3, 4, 23, 3), mid_channels=(128, 256, 512, 1024), groups=32
    ),
    "dpn98": _DPN,
    "dpn131": replace(_DPN, blocks=(4, 8, 28, 3), stem_channels=128),
}


def find_architecture(name: str) -> Architecture:
    """Look up a network by its name.

    Raises:
        ConfigError: The name is unknown.
    """
    check_choice("arch", name, ARCHITECTURES)
    return ARCHITECTURES[name]
