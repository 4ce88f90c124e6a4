"""The unit against the paper's equations, and transformations that must not change it."""

import copy

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from tests.reference.glore_unit import glore_unit
from tests.reference.released_unit import ReleasedUnit

SIZES = {1: (7,), 2: (5, 9), 3: (3, 5, 4)}
OPTIONS = [
    {},
    {"normalize": False},
    {"num_graph_convs": 2},
    {"num_graph_convs": 3, "act_position": "after"},
    {"share_projection": False},
    {"act_position": "after"},
]


def make_unit(ndim: int = 2, channels: int = 12, **options) -> GloReUnit:
    """A unit in fp64 whose every parameter and statistic is random."""
    torch.manual_seed(0)
    unit = GloReUnit(channels, num_nodes=5, num_states=6, ndim=ndim, **options).double()
    for tensor in (*unit.parameters(), unit.blocker.running_mean):
        nn.init.normal_(tensor, std=0.5)
    nn.init.uniform_(unit.blocker.running_var, 0.5, 2.0)
    return unit


def assert_equal(actual, expected, tolerance: float) -> None:
    scale = max(1.0, expected.abs().max().item())
    assert (actual - expected).abs().max().item() <= tolerance * scale


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("ndim", "channels_last"), [(1, False), (2, False), (2, True), (3, False), (3, True)]
)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("order", ["coordinate", "interaction"])
def test_equals_the_equations(order, options, ndim, channels_last, batch, training):
    unit = make_unit(ndim, order=order, **options).train(training)
    x = torch.randn(batch, 12, *SIZES[ndim], dtype=torch.float64)
    if channels_last:
        x = x.to(memory_format=torch.channels_last if ndim == 2 else torch.channels_last_3d)
    x.requires_grad_()
    own = dict(unit.named_parameters())
    params = {k: v.detach().clone().requires_grad_(k in own) for k, v in unit.state_dict().items()}
    reference_options = {k: v for k, v in options.items() if k in ("normalize", "act_position")}

    expected = glore_unit(params, x, training=training, **reference_options)
    actual = unit(x)
    assert_equal(actual, expected, 1e-10)

    weight = torch.randn_like(expected)
    for got, wanted in zip(
        torch.autograd.grad((actual * weight).sum(), [x, *own.values()]),
        torch.autograd.grad((expected * weight).sum(), [x, *(params[name] for name in own)]),
        strict=True,
    ):
        assert_equal(got, wanted, 1e-10)


def test_names_of_the_released_unit():
    released, unit = ReleasedUnit(12, 5, 6).state_dict(), make_unit()
    assert {k: v.shape for k, v in unit.state_dict().items()} == {
        k: v.shape for k, v in released.items()
    }
    assert unit.blocker.eps == 1e-4


def test_zero_init_is_the_identity_and_can_be_turned_off():
    x = torch.randn(2, 16, 6, 6)
    assert torch.equal(GloReUnit(16)(x), x)
    unit = GloReUnit(16, zero_init=False)
    assert torch.equal(unit.blocker.weight, torch.ones(16))
    assert not torch.allclose(unit(x), x)


def test_reset_parameters_keeps_zero_init():
    unit = make_unit()
    before = unit.conv_state.weight.clone()
    unit.reset_parameters()
    assert not torch.equal(unit.conv_state.weight, before)
    assert torch.equal(unit.blocker.weight, torch.zeros(12, dtype=torch.float64))


def test_other_norms():
    torch.manual_seed(0)
    x = torch.randn(2, 12, 5, 3)
    unit = GloReUnit(12, norm_layer=lambda c: nn.GroupNorm(3, c, eps=1e-12), zero_init=False)
    added = (unit(x) - x).reshape(2, 3, -1)
    assert added.mean(2).abs().max() < 1e-5
    assert (added.var(2, unbiased=False) - 1).abs().max() < 1e-2


@pytest.mark.parametrize("order", ["coordinate", "interaction"])
def test_fuse_conv_bn_leaves_the_output_unchanged(order):
    unit = make_unit(order=order).eval()
    x = torch.randn(2, 12, 5, 9, dtype=torch.float64)
    fused = fuse_conv_bn(copy.deepcopy(unit))
    assert isinstance(fused.blocker, nn.Identity)
    assert_equal(fused(x), unit(x), 1e-12)


def test_convert_sync_batchnorm_leaves_the_output_unchanged():
    unit = make_unit()
    x = torch.randn(2, 12, 5, 9, dtype=torch.float64)
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(unit))
    assert isinstance(converted.blocker, nn.SyncBatchNorm)
    for training in (True, False):
        assert_equal(converted.train(training)(x), unit.train(training)(x), 1e-12)


@pytest.mark.parametrize("training", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize(
    "order",
    [
        pytest.param("coordinate", marks=pytest.mark.slow),
        pytest.param("interaction", marks=pytest.mark.slow),
        "auto",
    ],
)
def test_compile_leaves_output_and_gradients_unchanged(order, training):
    unit = make_unit(num_graph_convs=2, order=order).train(training)
    x = torch.randn(2, 12, 5, 9, dtype=torch.float64, requires_grad=True)
    # aot_eager traces everything, as inductor does, and needs no compiler.
    compiled = torch.compile(copy.deepcopy(unit), fullgraph=True, backend="aot_eager")
    actual, expected = compiled(x), unit(x)
    assert_equal(actual, expected, 1e-12)
    weight = torch.randn_like(expected)
    actual_grad, expected_grad = (
        torch.autograd.grad((out * weight).sum(), x)[0] for out in (actual, expected)
    )
    assert_equal(actual_grad, expected_grad, 1e-12)


@pytest.mark.usefixtures("export_support")
@pytest.mark.parametrize("order", ["coordinate", "interaction", "auto"])
def test_export_leaves_the_output_unchanged_at_other_sizes(order):
    unit = make_unit(order=order).eval()
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.export.export(
        unit,
        (torch.randn(2, 12, 5, 9, dtype=torch.float64),),
        dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},),
    ).module()
    for shape in ((2, 12, 5, 9), (3, 12, 2, 2), (4, 12, 16, 33), (2, 12, 32, 32)):
        x = torch.randn(*shape, dtype=torch.float64)
        assert_equal(program(x), unit(x), 1e-12)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_does_not_overflow(dtype, normalize):
    torch.manual_seed(0)
    # No norm: its division would hide how large the sum is, and blow up the rounding of its mean.
    unit = GloReUnit(32, num_nodes=4, normalize=normalize, norm_layer=nn.Identity)
    # Positive everywhere, so that the sum over 16,384 positions passes fp16's 65,504.
    x = torch.rand(1, 32, 128, 128) * 8 + 4
    nn.init.constant_(unit.conv_state.weight, 0.02)
    nn.init.constant_(unit.conv_proj.weight, 0.02)
    raw_sum = unit.conv_state(x).flatten(2) @ unit.conv_proj(x).flatten(2).transpose(1, 2)
    assert raw_sum.max() > torch.finfo(torch.float16).max
    expected = unit(x) - x
    with torch.autocast("cpu", dtype=dtype):
        actual = unit(x) - x
    assert actual.isfinite().all()
    relative_error = (actual - expected).norm() / expected.norm()
    assert relative_error < 4 * torch.finfo(dtype).eps


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_nodes": 0}, "num_nodes must be at least 1, got 0"),
        ({"num_states": -1}, "num_states must be at least 1, got -1"),
        ({"ndim": 4}, r"ndim must be one of \(1, 2, 3\), got 4"),
        ({"num_graph_convs": 4}, "num_graph_convs must be 1, 2 or 3 .*got 4"),
        ({"order": "cheap"}, "order must be one of .*got 'cheap'"),
        (
            {"order": "interaction", "norm_layer": lambda channels: nn.GroupNorm(4, channels)},
            'GroupNorm, not BatchNorm. Use order="auto" or "coordinate"',
        ),
        ({"act_position": "before"}, "act_position must be one of .*got 'before'"),
        ({"in_channels": 3}, "in_channels must be at least 4, got 3"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        GloReUnit(**{"in_channels": 16, **arguments})


@pytest.mark.parametrize("shape", [(2, 16, 5), (2, 8, 5, 5), (2, 16, 1, 5, 5)])
def test_wrong_input(shape):
    with pytest.raises(ValueError, match=r"takes \(B, 16, H, W\), got a tensor of shape"):
        GloReUnit(16)(torch.rand(*shape))


@pytest.mark.parametrize("norm_layer", [nn.BatchNorm2d, nn.SyncBatchNorm])
@pytest.mark.parametrize("order", ["coordinate", "interaction"])
def test_one_position(order, norm_layer):
    one = torch.rand(1, 16, 1, 1)
    unit = GloReUnit(16, zero_init=False, order=order, norm_layer=norm_layer)
    with pytest.raises(ValueError, match="more than "):
        unit(one)
    assert unit.eval()(one).shape == one.shape
    assert unit.train()(torch.rand(2, 16, 1, 1)).shape == (2, 16, 1, 1)


def test_projection_is_theta_of_x():
    unit = make_unit()
    x = torch.randn(2, 12, *SIZES[2], dtype=torch.float64)
    matrix = unit.conv_proj.weight.flatten(1)  # (N, C)
    expected = torch.einsum("nc,bchw->bnhw", matrix, x) + unit.conv_proj.bias[:, None, None]
    assert_equal(unit.project(x), expected, 1e-12)
