"""The backbone is mmseg's network with units between the blocks, otherwise unchanged."""

import pytest
import torch
from mmseg.models.backbones import ResNet, ResNetV1c, ResNetV1d

from glore_seg.errors import CheckpointError, ConfigError
from glore_seg.models import GloReResNet
from tests.models.base import ModelTests

SMALL = {"base_channels": 8, "stem_channels": 8, "norm_cfg": {"type": "BN"}}
DILATED = {"strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4), "contract_dilation": True}


class TestGloReResNet18(ModelTests):
    strides = (4, 8, 8, 8)

    def build(self):
        return GloReResNet(18, num_units=(0, 1, 2, 0), multi_grid=(4, 8), **SMALL, **DILATED)


class TestGloReResNet50(ModelTests):
    strides = (4, 8, 16, 32)

    def build(self):
        return GloReResNet(50, variant="v1d", num_units=(0, 2, 3, 0), **SMALL)


@pytest.mark.parametrize(
    ("variant", "peer"), [("v1", ResNet), ("v1c", ResNetV1c), ("v1d", ResNetV1d)]
)
def test_plain_weights_load_with_only_the_units_missing(variant, peer):
    torch.manual_seed(0)
    plain = peer(depth=50, **SMALL, **DILATED)
    model = GloReResNet(50, variant=variant, num_units=(0, 2, 3, 0), **SMALL, **DILATED)
    plain.eval()
    model.eval()
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert {".".join(name.split(".")[:3]) for name in missing} == {
        *(f"layer2.units.{p}" for p in (1, 3)),
        *(f"layer3.units.{p}" for p in (1, 3, 5)),
    }
    # New units are the identity, so the networks agree.
    x = torch.randn(1, 3, 40, 56)
    for got, wanted in zip(model(x), plain(x), strict=True):
        assert torch.equal(got, wanted)


def test_units_follow_their_blocks():
    model = GloReResNet(
        18, unit_positions=((), (1,), (), (2,)), unit_cfg={"zero_init": False}, **SMALL
    )
    model.eval()
    x = torch.randn(1, 3, 64, 64)
    stem = model.maxpool(model.stem(x))
    one = model.layer1(stem)
    two = model.layer2[1](model.layer2.units["1"](model.layer2[0](one)))
    three = model.layer3(two)
    four = model.layer4.units["2"](model.layer4[1](model.layer4[0](three)))
    for got, wanted in zip(model(x), (one, two, three, four), strict=True):
        assert torch.equal(got, wanted)


def test_multi_grid_sets_the_rates_of_the_last_stage():
    model = GloReResNet(50, multi_grid=(4, 8, 16), **SMALL, **DILATED)
    assert [block.conv2.dilation for block in model.layer4] == [(4, 4), (8, 8), (16, 16)]
    plain = GloReResNet(50, **SMALL, **DILATED)
    assert [block.conv2.dilation for block in plain.layer4] == [(2, 2), (4, 4), (4, 4)]


def test_init_weights_leaves_units_the_identity():
    torch.manual_seed(0)
    model = GloReResNet(18, num_units=(0, 0, 1, 0), **SMALL)
    model.init_weights()
    unit = model.layer3.units["1"]
    assert torch.equal(unit.blocker.weight, torch.zeros(32))
    # torch's own initialization is uniform within 1 / sqrt(fan in), mmseg's Kaiming is not.
    assert unit.conv_state.weight.abs().max() <= 32**-0.5


def test_pretrained_units_are_kept(tmp_path):
    source = GloReResNet(18, num_units=(0, 0, 1, 0), **SMALL)
    torch.nn.init.constant_(source.layer3.units["1"].blocker.weight, 0.5)
    torch.save({"state_dict": source.state_dict()}, tmp_path / "weights.pth")
    model = GloReResNet(
        18,
        num_units=(0, 0, 1, 0),
        init_cfg={"type": "Pretrained", "checkpoint": str(tmp_path / "weights.pth")},
        **SMALL,
    )
    model.init_weights()
    for name, value in model.state_dict().items():
        assert torch.equal(value, source.state_dict()[name]), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pretrained": "/nowhere/a.pth"}, r"'/nowhere/a.pth'.*model\.pretrained=None"),
        (
            {"init_cfg": {"type": "Pretrained", "checkpoint": "/nowhere/a.pth"}},
            r"model\.backbone\.init_cfg\.checkpoint=/path.*init_cfg=None",
        ),
    ],
)
def test_missing_pretrained_weights(options, message):
    with pytest.raises(CheckpointError, match=message):
        GloReResNet(18, **options, **SMALL).init_weights()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 20}, r"depth must be one of \(18, 34, 50, 101, 152\), got 20"),
        ({"variant": "v2"}, r"variant must be one of \('v1', 'v1c', 'v1d'\), got 'v2'"),
        ({"num_units": (0, 3, 0, 0)}, "between 0 and the 2 blocks of the stage, got 3"),
        ({"embed_dims": 32}, "GloReResNet has no embed_dims; .*_delete_=True"),
        ({"multi_grid": (4, 8, 16)}, "one rate for each of the 2 blocks .*ResNet-18"),
        ({"unit_cfg": {"num_states": 0}, "num_units": (0, 0, 1, 0)}, "num_states must be at least"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        GloReResNet(**{"depth": 18, **SMALL, **arguments})
