"""The networks of Table 2 and Figure 7 in figures."""

from dataclasses import dataclass, replace

from glore_seg.errors import ConfigError


@dataclass(frozen=True)
class Architecture:
    """What tells one network from another.

    Args:
        blocks: Blocks of each stage, Res2 to Res5.
        mid_channels: Channels inside a block, for each stage.
        out_channels: Channels of the path that blocks add to, for each stage.
        bottleneck: 1x1, 3x3, 1x1 convolutions in a block; otherwise two of 3x3.
        groups: Groups of the 3x3 convolution.
        squeeze: Squeeze-and-excitation after the last convolution, by this factor; 0 for none.
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
        """Channels that each stage ends with: the shortcut of its first block appends two times."""
        figures = zip(self.out_channels, self.increments, self.blocks, strict=True)
        return tuple(out + increment * (count + 2) for out, increment, count in figures)

    def narrowed(self, width: float) -> "Architecture":
        """Every number of channels times ``width``.

        Raises:
            ConfigError: That is no whole number of channels, or one that the groups don't divide.
        """
        if width == 1:
            return self
        narrow = replace(
            self,
            mid_channels=_scaled(self.mid_channels, width),
            out_channels=_scaled(self.out_channels, width),
            increments=_scaled(self.increments, width),
            stem_channels=_scaled((self.stem_channels,), width)[0],
        )
        if any(channels % self.groups for channels in narrow.mid_channels):
            raise ConfigError(
                f"width is {width}, which leaves {narrow.mid_channels} channels for the "
                f"{self.groups} groups of the 3x3 convolutions; expected multiples of "
                f"{self.groups}: take a larger width, such as 0.5"
            )
        return narrow


def _scaled(channels: tuple[int, ...], width: float) -> tuple[int, ...]:
    scaled = [width * each for each in channels]
    if any(each % 1 for each in scaled) or width <= 0:
        raise ConfigError(
            f"width is {width}, which makes {scaled} of {channels} channels; expected whole "
            "numbers: take 1 divided by a power of 2, such as 0.25"
        )
    return tuple(int(each) for each in scaled)


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
        ConfigError: There is none of this name.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(
            f"arch is {name!r}; expected one of {', '.join(map(repr, ARCHITECTURES))}"
        )
    return ARCHITECTURES[name]
