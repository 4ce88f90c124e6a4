"""The unit from a config, by itself and in networks of mmseg."""

import torch
from mmcv.cnn.bricks import build_plugin_layer
from mmseg.models.backbones import ResNet

from glore_seg.layers import GloReUnit


def build(**cfg):
    return build_plugin_layer({"type": "GloReUnit", **cfg}, in_channels=16)


def test_is_built_with_name_and_released_eps():
    name, unit = build(num_nodes=3)
    assert name == "glore_unit"
    assert isinstance(unit, GloReUnit)
    assert (unit.num_nodes, unit.blocker.eps) == (3, 1e-4)


def test_in_the_blocks_of_a_resnet():
    torch.manual_seed(0)
    plugin = {"cfg": {"type": "GloReUnit", "zero_init": False}, "position": "after_conv3"}
    network = ResNet(
        50,
        base_channels=8,
        stem_channels=8,
        plugins=[{**plugin, "stages": (False, False, True, False)}],
    )
    network.eval()
    units = [name for name, m in network.named_modules() if isinstance(m, GloReUnit)]
    assert units == [f"layer3.{i}.glore_unit" for i in range(6)]
    assert network(torch.randn(1, 3, 64, 64))[-1].shape == (1, 256, 2, 2)
