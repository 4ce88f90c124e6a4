"""Modules with the names of other code bases."""

from collections import OrderedDict

from torch import Tensor, nn

from glore_seg.layers import GloReUnit
from tests.reference.glore_unit import glore_unit

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class StepByStepUnit(GloReUnit):
    """The unit's parameters under the released names, and the equations written out."""

    def forward(self, x: Tensor) -> Tensor:
        return glore_unit(self.state_dict(), x, training=False)


class AuthorsHead(nn.Module):
    """The authors' segmentation head, layer by layer."""

    def __init__(self, num_units: int, num_classes: int = 19) -> None:
        super().__init__()
        self.conv51 = self.adaptive(2048)
        self.gcn = nn.Sequential(
            OrderedDict((f"GCN{i:02d}", StepByStepUnit(512, 64)) for i in range(num_units))
        )
        self.conv52 = self.adaptive(512)
        self.conv6 = nn.Sequential(nn.Dropout2d(0.1), nn.Conv2d(512, num_classes, 1))

    @staticmethod
    def adaptive(channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, 512, 3, padding=1, bias=False), nn.BatchNorm2d(512), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv6(self.conv52(self.gcn(self.conv51(x))))


def classifier_names(
    depth: int, *, deep_stem: bool = False, pooled_shortcut: bool = False
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a ResNet classifier of torchvision or timm, v1 or with their v1c, v1d."""
    out: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        for kind in ("weight", "bias", "running_mean", "running_var"):
            out[f"{name}.{kind}"] = (channels,)
        out[f"{name}.num_batches_tracked"] = ()

    if deep_stem:
        for i, (channels_in, channels_out) in zip(
            (0, 3, 6), ((3, 32), (32, 32), (32, 64)), strict=True
        ):
            out[f"conv1.{i}.weight"] = (channels_out, channels_in, 3, 3)
        norm("conv1.1", 32)
        norm("conv1.4", 32)
    else:
        out["conv1.weight"] = (64, 3, 7, 7)
    norm("bn1", 64)
    channels, shortcut = 64, (1, 2) if pooled_shortcut else (0, 1)
    for stage, blocks in enumerate(BLOCKS[depth]):
        mid = 64 * 2**stage
        for block in range(blocks):
            name = f"layer{stage + 1}.{block}"
            for i, shape in enumerate(
                ((mid, channels, 1, 1), (mid, mid, 3, 3), (4 * mid, mid, 1, 1)), start=1
            ):
                out[f"{name}.conv{i}.weight"] = shape
                norm(f"{name}.bn{i}", shape[0])
            if block == 0:
                out[f"{name}.downsample.{shortcut[0]}.weight"] = (4 * mid, channels, 1, 1)
                norm(f"{name}.downsample.{shortcut[1]}", 4 * mid)
            channels = 4 * mid
    out["fc.weight"], out["fc.bias"] = (1000, 2048), (1000,)
    return out
