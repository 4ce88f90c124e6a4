"""The networks against timm's with the same weights, dilated against strided, and their units."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from glore_seg.errors import ConfigError
from glore_seg.layers import NonLocalBlock, PreActClassifier, PreActNet
from glore_seg.layers.preact import ARCHITECTURES
from glore_seg.layers.preact.blocks import SqueezeExcitation
from tests.reference.released_unit import ReleasedUnit

# No deeper than need be.
SMALL = {
    "small-resnext": replace(ARCHITECTURES["resnext101-32x4d"], blocks=(2, 2, 2, 2)),
    "small-dpn": replace(ARCHITECTURES["dpn98"], blocks=(2, 2, 2, 2)),
}


@pytest.fixture(autouse=True)
def small_architectures(monkeypatch):
    for name, architecture in SMALL.items():
        monkeypatch.setitem(ARCHITECTURES, name, architecture)


def width_of(arch: str) -> float:
    groups = ARCHITECTURES[arch].groups
    return 0.25 if groups > 1 else 0.125


def random_statistics(model: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    return model.eval()


def net(arch: str, **options) -> PreActNet:
    torch.manual_seed(0)
    return random_statistics(PreActNet(arch, width=width_of(arch), **options))


@pytest.mark.parametrize(
    ("arch", "unit_type"),
    [
        *((arch, "glore") for arch in ARCHITECTURES),
        ("resnet18", "nonlocal"),
        ("resnet18", "nonlocal-pooled"),
    ],
)
def test_every_parameter_of_every_network_gets_a_gradient(arch, unit_type):
    torch.manual_seed(0)
    options = {"num_units": (0, 1, 1, 0), "unit_type": unit_type, "unit_cfg": {"zero_init": False}}
    model = PreActClassifier(arch, num_classes=3, width=width_of(arch), **options)
    out = model(torch.randn(2, 3, 64, 64))
    nn.functional.cross_entropy(out, torch.tensor([0, 2])).backward()
    # The few hidden units of a narrow squeeze-and-excitation can all be at rest.
    # Softmax takes away what the bias of keys adds to a row, and BN what one before it adds.
    still = (".se.", ".phi.bias", ".conv_out.bias")
    for name, parameter in model.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any() or any(part in name for part in still), name


@pytest.mark.parametrize("arch", ["resnet18", "resnet50"])
def test_stages_are_timms_of_the_same_weights(arch):
    resnetv2 = pytest.importorskip("timm.models.resnetv2")
    layers = pytest.importorskip("timm.layers")
    spec = ARCHITECTURES[arch]
    theirs = resnetv2.ResNetV2(
        layers=spec.blocks,
        channels=tuple(c // 8 for c in spec.out_channels),
        stem_chs=8,
        basic=not spec.bottleneck,
        bottle_ratio=0.25 if spec.bottleneck else 1.0,
        conv_layer=partial(nn.Conv2d, bias=False),
        norm_layer=partial(layers.BatchNormAct2d, eps=1e-4),
        num_classes=0,
    )
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d):
            module.padding = (module.kernel_size[0] // 2,) * 2
    random_statistics(theirs)
    ours = net(arch, out_indices=(0, 1, 2, 3))
    for stage, its in zip(ours.stages(), theirs.stages, strict=True):
        for block, its_block in zip(stage.children(), its.blocks, strict=True):
            for number in (1, 2, 3) if spec.bottleneck else (1, 2):
                conv = block.get_submodule(f"conv_m{number}")
                conv.conv.load_state_dict(its_block.get_submodule(f"conv{number}").state_dict())
                conv.bn.load_state_dict(its_block.get_submodule(f"norm{number}").state_dict())
            if block.conv_w1 is not None:
                # Theirs shares one norm between the shortcut and the block.
                block.conv_w1.conv.load_state_dict(its_block.downsample.conv.state_dict())
                block.conv_w1.bn.load_state_dict(its_block.norm1.state_dict())
    ours.tail.bn.load_state_dict(theirs.norm.state_dict())
    x = torch.randn(2, 8, 16, 16)
    expected, actual = x, x
    for stage, its in zip(ours.stages(), theirs.stages, strict=True):
        expected, actual = its(expected), stage(actual)
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.tail(actual), theirs.norm(expected), rtol=1e-4, atol=1e-4)


def test_dual_path_network_is_timms_of_the_same_weights():
    dpn = pytest.importorskip("timm.models.dpn")
    spec = SMALL["small-dpn"]
    theirs = dpn.DPN(
        k_sec=spec.blocks,
        inc_sec=spec.increments,
        k_r=160,
        groups=40,
        num_init_features=96,
        num_classes=5,
        fc_act_layer="relu",
    )
    random_statistics(theirs)
    ours = PreActClassifier(
        "small-dpn", num_classes=5, norm_layer=partial(nn.BatchNorm2d, eps=1e-3)
    )
    names = {"c1x1_a": "conv_m1", "c3x3_b": "conv_m2", "c1x1_c": "conv_m3"}
    names |= {"c1x1_w_s1": "conv_w1", "c1x1_w_s2": "conv_w1"}
    state = {}
    for key, value in theirs.state_dict().items():
        part, *rest = key.removeprefix("features.").split(".")
        if part == "classifier":
            state[f"head.fc.{rest[0]}"] = value.flatten(1) if value.dim() > 1 else value
        elif part == "conv1_1":
            state[".".join(["backbone.conv1", *rest])] = value
        elif part == "conv5_bn_ac":
            state[".".join(["backbone.tail", *rest])] = value
        else:
            stage, block = part.split("_")
            path = [f"backbone.{stage}", f"B{int(block):02}", names[rest[0]], *rest[1:]]
            state[".".join(path)] = value
    ours.load_state_dict(state)
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(ours.eval()(x), theirs(x), rtol=1e-4, atol=1e-4)


def test_squeeze_and_excitation_by_hand():
    assert PreActNet("se-resnet50", width=1 / 32).conv2.B01.se.fc1.out_channels == 1
    module = SqueezeExcitation(8, 2)
    x = torch.randn(2, 8, 3, 5)
    weights = x.mean((2, 3)) @ module.fc1.weight.flatten(1).T + module.fc1.bias
    weights = weights.relu() @ module.fc2.weight.flatten(1).T + module.fc2.bias
    torch.testing.assert_close(module(x), x * weights.sigmoid()[:, :, None, None])


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("arch", ["resnet18", "resnet50", "small-resnext", "small-dpn"])
def test_dilated_maps_contain_the_strided_ones(arch, output_stride):
    strided, dilated = net(arch), net(arch, output_stride=output_stride)
    dilated.load_state_dict(strided.state_dict())
    x = torch.randn(1, 3, 128, 128)
    (coarse,), (fine,) = strided(x), dilated(x)
    factor = 32 // output_stride
    assert fine.shape[2:] == (128 // output_stride,) * 2
    torch.testing.assert_close(fine[:, :, ::factor, ::factor], coarse, rtol=1e-4, atol=1e-4)


def test_multi_grid_is_of_the_last_stage():
    model = net("resnet50", output_stride=8, multi_grid=(4, 8, 16))
    rates = [[b.conv_m2.conv.dilation[0] for b in s.children()] for s in model.stages()]
    assert rates == [[1] * 3, [1] * 4, [1, 2, 2, 2, 2, 2], [4, 8, 16]]


def test_maps_of_all_stages():
    model = net("small-dpn", out_indices=(0, 1, 2, 3))
    outs = model(torch.randn(1, 3, 65, 97))
    assert [tuple(out.shape) for out in outs] == [
        (1, channels, -(-65 // stride), -(-97 // stride))
        for channels, stride in zip(model.feature_channels, (4, 8, 16, 32), strict=True)
    ]
    assert outs[3].min() == 0  # the tail's ReLU; the others are sums
    assert all(out.min() < 0 for out in outs[:3])


def test_lite_stem():
    model = PreActNet("resnet50", stem="5x5")
    assert tuple(model.conv1.conv.weight.shape) == (32, 3, 5, 5)
    assert tuple(PreActNet("resnet18").conv1.conv.weight.shape) == (64, 3, 7, 7)


def test_explicit_positions_and_unit_types():
    options = {"unit_positions": ((), (2,), (6,), ()), "width": 0.125}
    model = PreActNet("resnet50", unit_type="nonlocal-pooled", **options)
    assert isinstance(model.conv3.B02_extra, NonLocalBlock)
    assert (model.conv4.B06_extra.channels, model.conv4.B06_extra.pooled) == (128, True)
    assert not PreActNet("resnet50", unit_type="nonlocal", **options).conv3.B02_extra.pooled
    glore = PreActNet("resnet50", unit_cfg={"num_graph_convs": 3, "normalize": False}, **options)
    unit = glore.conv4.B06_extra
    assert (unit.num_nodes, unit.num_states, unit.normalize) == (32, 64, False)
    assert {"gcn", "gcn2", "gcn3"} <= {name for name, _ in unit.named_children()}


def test_units_act_on_the_added_channels_of_a_dual_path_network():
    torch.manual_seed(0)
    units = {"num_units": (0, 0, 1, 0), "unit_cfg": {"zero_init": False}}
    model = net("small-dpn", out_indices=(2,), **units)
    stage = model.conv4
    assert list(dict(stage.named_children())) == ["B01", "B01_extra", "B02"]
    x = torch.randn(1, model.feature_channels[1], 8, 8)
    first = stage.B01(x)
    count = model.unit_channels[2]
    assert count == 256
    expected = stage.B02(torch.cat([stage.B01_extra(first[:, :count]), first[:, count:]], 1))
    assert torch.equal(stage(x), expected)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_released_weights_load_strictly(arch):
    model = PreActNet(arch, num_units=(0, 2, 1, 0), width=width_of(arch))
    for stage in (model.conv3, model.conv4):
        for unit in stage.units().values():
            channels = stage.unit_channels
            released = ReleasedUnit(channels, channels // 4, channels // 2)
            unit.load_state_dict(released.state_dict(), strict=True)


def test_new_units_are_the_identity_and_leave_the_plain_networks_names():
    plain = net("resnet18")
    model = net("resnet18", num_units=(0, 1, 1, 0))
    for stage in model.stages():
        for unit in stage.units().values():
            unit.reset_parameters()
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert all("_extra." in name for name in missing)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(model(x)[0], plain(x)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arch": "resnet20"}, "arch must be one of .*'resnet18'.*, got 'resnet20'"),
        ({"unit_type": "glor"}, "unit_type must be one of .*, got 'glor'"),
        ({"stem": "3x3"}, r"stem must be one of \('7x7', '5x5'\), got '3x3'"),
        ({"output_stride": 4}, r"output_stride must be one of \(32, 16, 8\), got 4"),
        ({"multi_grid": (4, 8, 16)}, r"multi_grid is \(4, 8, 16\); expected one rate .*2 blocks"),
        ({"multi_grid": (0, 4)}, r"multi_grid is \(0, 4\); expected one rate of 1 or more"),
        ({"num_units": 3}, "num_units must have one entry for each of the 4 stages, got 3"),
        ({"stem": "5x5", "width": 1 / 64}, r"0\.5 of the stem"),
        (
            {"num_units": (0, 0, 1, 0), "unit_positions": ((), (), (1,), ())},
            "num_units or unit_positions, not both",
        ),
        ({"out_indices": (4,)}, r"out_indices is \(4,\); expected some of 0 to 3"),
        ({"out_indices": ()}, r"out_indices is \(\); expected some of 0 to 3"),
        ({"num_units": (0, 0, 1, 0), "unit_cfg": {"num_graph_convs": 4}}, "must be 1, 2 or 3"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        PreActNet(**{"arch": "resnet18", "width": 0.125, **options})
