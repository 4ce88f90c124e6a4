"""Modules with the names of other code bases."""

import re
from collections import OrderedDict

import pytest
import torch
from mmseg.models import ResNet, ResNetV1c, ResNetV1d
from torch import Tensor, nn

from glore_seg.layers import GloReUnit
from tests.reference.glore_unit import glore_unit


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


def timm_resnet(depth: int, variant: str = "") -> nn.Module:
    """timm's ResNet, v1 or with ``variant`` its v1c ("c") or v1d ("d")."""
    return pytest.importorskip("timm").create_model(f"resnet{depth}{variant}").eval()


def classifier_names(
    depth: int, *, deep_stem: bool = False, pooled_shortcut: bool = False
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of timm's ResNet classifiers, which differ from mmseg's in the stem."""
    with torch.device("meta"):
        model = (ResNetV1d if pooled_shortcut else ResNetV1c if deep_stem else ResNet)(depth=depth)
    names = {
        re.sub(r"^stem\.", "conv1.", re.sub(r"^stem\.7\.", "bn1.", name)): tuple(value.shape)
        for name, value in model.state_dict().items()
    }
    return names | {"fc.weight": (1000, 2048), "fc.bias": (1000,)}
