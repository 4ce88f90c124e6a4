"""The 3D networks: released names, sizes and outputs, and the counts of Table 5."""

import pytest
import torch
from torch import nn

from glore_seg.apis import count_complexity
from glore_seg.layers import NonLocalBlock, VideoResNet
from tests.reference import released_video

PLAIN = (0, 0, 0, 0)


def small(**options):
    return VideoResNet(
        26, **{"num_classes": 5, "num_units": (0, 1, 1, 0), "base_channels": 4, **options}
    )


def on_meta(*args, **options):
    with torch.device("meta"):
        return VideoResNet(*args, **options)


@pytest.mark.parametrize(
    ("depth", "params", "keys"), [(50, 33_731_952, 331), (101, 57_442_672, 586)]
)
def test_released_names_and_shapes(depth, params, keys):
    net = on_meta(depth)
    own = {
        name: tuple(value.shape)
        for name, value in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert own == released_video.shapes(depth)
    assert len(own) == keys
    assert sum(p.numel() for p in net.parameters()) == params


@pytest.mark.parametrize(
    ("depth", "num_units", "unit", "gmac"),
    [
        (50, PLAIN, "glore", 25.283),
        (50, (0, 2, 3, 0), "glore", 31.776),
        (50, (0, 2, 3, 0), "nonlocal-pooled", 33.411),
        pytest.param(101, PLAIN, "glore", 43.831, marks=pytest.mark.slow),
        pytest.param(101, (0, 2, 3, 0), "glore", 50.324, marks=pytest.mark.slow),
        pytest.param(101, (0, 2, 3, 0), "nonlocal-pooled", 51.959, marks=pytest.mark.slow),
    ],
)
def test_macs_of_the_published_clips(depth, num_units, unit, gmac):
    net = on_meta(depth, num_units=num_units, unit_type=unit)
    assert round(count_complexity(net, (1, 3, 8, 224, 224)).macs / 1e9, 3) == gmac


@pytest.mark.parametrize("depth", [50, 101])
@pytest.mark.parametrize("size", [(8, 64, 64), (5, 33, 47)])
def test_equals_the_released_networks(depth, size):
    state = released_video.random_state(depth, classes=7, base=4)
    net = VideoResNet(depth, num_classes=7, base_channels=4).eval()
    net.load_state_dict(state)
    x = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected = released_video.forward(state, x, depth)
        got = net(x)
    assert expected.std() > 0.05
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_non_local_blocks():
    blocks = on_meta(50, unit_type="nonlocal-pooled").units().values()
    assert all(isinstance(b, NonLocalBlock) and b.pooled and b.dimensions == 3 for b in blocks)
    assert [b.inter_channels for b in blocks] == [256, 256, 512, 512, 512]


def speaking(unit="glore"):
    """A small network whose units are not the identity."""
    torch.manual_seed(0)
    net = small(unit_type=unit)
    for module in net.units().values():
        nn.init.ones_((module.blocker if unit == "glore" else module.norm).weight)
    return net


@pytest.mark.parametrize("unit", ["glore", "nonlocal-pooled"])
def test_new_units_are_the_identity(unit):
    net = speaking(unit).eval()
    plain = small(num_units=PLAIN).eval()
    missing, _ = plain.load_state_dict(net.state_dict(), strict=False)
    assert missing == []
    x = torch.randn(1, 3, 4, 40, 32)
    assert not torch.allclose(net(x), plain(x))
    net.silence_units()
    assert torch.equal(net(x), plain(x))


@pytest.mark.parametrize("unit", ["glore", "nonlocal-pooled"])
def test_every_parameter_gets_a_gradient(unit):
    net = speaking(unit)
    net(torch.randn(2, 3, 4, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    used = [p.grad.abs().sum() > 0 for name, p in net.named_parameters()]
    # A bias of the keys shifts all scores of a position alike, and softmax does not see it.
    assert used.count(False) <= (0 if unit == "glore" else 2)


def test_memory_formats_and_batch_of_one():
    net = speaking().eval()
    x = torch.randn(2, 3, 3, 34, 50)
    expected = net(x)
    torch.testing.assert_close(net(x[:1]), expected[:1], rtol=1e-4, atol=1e-5)
    net = net.to(memory_format=torch.channels_last_3d)
    got = net(x.to(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 32, 32), (4, 64, 64), (7, 65, 97)])
def test_features_of_any_size(size):
    features = small(num_classes=None).eval()(torch.randn(1, 3, *size))
    frames, height, width = size
    assert features.shape == (1, 128, -(-frames // 2), -(-height // 32), -(-width // 32))


def test_initialization_is_xavier():
    torch.manual_seed(0)
    net = VideoResNet(26, num_classes=5, num_units=(0, 1, 1, 0), base_channels=16)
    weight = net.conv3.B01_extra.conv_state.weight  # (64, 128, 1, 1, 1)
    limit = (6 / (64 + 128)) ** 0.5
    assert weight.abs().max() <= limit
    assert abs(weight.var().item() - limit**2 / 3) < 1e-3
    assert net.classifier.bias.eq(0).all()
    assert net.conv3.B01_extra.conv_state.bias.eq(0).all()
    assert not net.conv3.B01_extra.blocker.weight.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 18}, r"depth must be one of \(26, 50, 101\), got 18"),
        ({"unit_type": "se"}, r"unit_type must be one of \('glore'.*got 'se'"),
        ({"num_units": (0, 5, 0, 0)}, "between 0 and the 4 blocks of the stage, got 5"),
        ({"base_channels": 7}, "base_channels must be even and at least 2, got 7"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        VideoResNet(**options)


@pytest.mark.parametrize("shape", [(3, 4, 32, 32), (1, 8, 3, 32, 32)])
def test_wrong_input(shape):
    with pytest.raises(ValueError, match=rf"takes \(B, 3, T, H, W\), got .*{shape[0]}, {shape[1]}"):
        small()(torch.zeros(shape))
