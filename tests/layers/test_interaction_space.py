"""The unit in the interaction space against the released unit."""

import copy

import pytest
import torch
from torch import nn

from glore_seg.layers import GloReUnit
from glore_seg.layers.interaction_space import broadcast_back, project_and_moments
from projects.reproduction.measure import saved_bytes
from tests.reference.released_unit import ReleasedUnit

C, N, S = 12, 5, 6


def make_pair(norm: nn.Module | None = None, **options) -> tuple[ReleasedUnit, GloReUnit]:
    """The released unit and ours with the same random parameters and statistics, in fp64."""
    torch.manual_seed(0)
    released = ReleasedUnit(C, N, S)
    released.blocker = norm or released.blocker
    for tensor in released.state_dict().values():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.2, 0.9)
    unit = GloReUnit(C, N, S, norm_layer=lambda _: copy.deepcopy(released.blocker), **options)
    unit.load_state_dict(released.state_dict())
    return released.double(), unit.double()


def assert_close(actual, expected, tolerance=1e-10):
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(3, C, 7, 5), (1, C, 32, 32)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": None},
        {"momentum": 1.0},
        {"affine": False},
        {"track_running_stats": False},
        {"eps": 0.1, "momentum": 0.3},
    ],
    ids=str,
)
def test_batch_norm_and_its_statistics(options, shape):
    released, unit = make_pair(nn.BatchNorm2d(C, **options), order="interaction")
    for training in (True, True, True, False):
        released.train(training)
        unit.train(training)
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        outs = [released(x), unit(x)]
        assert_close(outs[1], outs[0])
        # By name, since the order of registration differs.
        grads = []
        for out, module in zip(outs, (released, unit), strict=True):
            wanted = {"x": x, **dict(module.named_parameters())}
            found = torch.autograd.grad(out.sin().sum(), list(wanted.values()))
            grads.append(dict(zip(wanted, found, strict=True)))
        for name, grad in grads[0].items():
            assert_close(grads[1][name], grad)
        expected = dict(released.blocker.named_buffers())
        for name, buffer in unit.blocker.named_buffers():
            assert_close(buffer, expected[name])


def test_large_means_do_not_cancel_the_variance():
    released, unit = make_pair(order="interaction")
    x = torch.randn(2, C, 16, 16, dtype=torch.float64) + 300
    expected = released(x) - x
    errors = [
        ((module.float()(x.float()) - x.float()).double() - expected).norm() / expected.norm()
        for module in (copy.deepcopy(released), copy.deepcopy(unit))
    ]
    assert errors[1] <= 1.5 * errors[0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_fp32(memory_format, training):
    released, unit = make_pair(order="interaction")
    x = torch.randn(2, C, 30, 31, dtype=torch.float64).contiguous(memory_format=memory_format)
    expected = released.train(training)(x)
    actual = unit.float().train(training)(x.float())
    assert (actual - expected).norm() / expected.norm() < 1e-5


def test_many_positions():
    # Columns of a large power of two are multiplied piece by piece.
    released, unit = make_pair(order="interaction")
    x = torch.randn(2, C, 128, 128, dtype=torch.float64, requires_grad=True)
    weight = torch.randn_like(x)
    expected, actual = released(x), unit(x)
    assert_close(actual, expected)
    expected, actual = (torch.autograd.grad(out, x, weight)[0] for out in (expected, actual))
    assert_close(actual, expected)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bf16_error_is_at_most_that_of_the_released_unit(dtype, training):
    released, unit = make_pair(order="interaction")
    released.train(training)
    unit.train(training)
    errors = {"released": [], "ours": []}
    for seed in range(4):
        torch.manual_seed(seed)
        x = torch.randn(2, C, 40, 40).to(dtype)
        expected = copy.deepcopy(released)(x.double()) - x.double()
        for name, module in (("released", released), ("ours", unit)):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                actual = copy.deepcopy(module).float()(x)
            assert actual.dtype == dtype
            added = actual.double() - x.double()
            errors[name].append(((added - expected).norm() / expected.norm()).item())
    assert sum(errors["ours"]) <= sum(errors["released"])


@pytest.mark.parametrize("shared", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("covariance", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_gradients_of_both_passes(covariance, shared):
    torch.manual_seed(0)
    count = 1 if shared else 2
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(count, 2, 4, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(count, 2, dtype=torch.float64, requires_grad=True)
    factor = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    shift = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)

    def both(x, weight, bias, factor, shift):
        x, centered, *moments = project_and_moments(x, weight, bias, covariance=covariance)
        return (broadcast_back(x, centered, factor, shift), *(m for m in moments if m.numel()))

    assert torch.autograd.gradcheck(both, (x, weight, bias, factor, shift))
    assert torch.autograd.gradgradcheck(both, (x, weight, bias, factor, shift))


def test_memory_saved_for_the_backward_pass():
    unit = GloReUnit(512, 64, 128)
    x = torch.randn(1, 512, 64, 128, requires_grad=True)
    beyond = [x, *unit.parameters()]
    ours = saved_bytes(lambda: unit(x), beyond=beyond) / x.untyped_storage().nbytes()
    # At four times the positions the small matrices weigh a quarter of it: 0.3 there.
    assert ours < 0.25


@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.parametrize("order", ["coordinate", "interaction"])
def test_keeps_the_memory_format(order, contiguous):
    _, unit = make_pair(order=order)
    memory_format = torch.contiguous_format if contiguous else torch.channels_last
    x = torch.randn(2, C, 6, 7, dtype=torch.float64).contiguous(memory_format=memory_format)
    x.requires_grad_()
    unit = unit.to(memory_format=memory_format)
    out = unit(x)
    assert out.is_contiguous(memory_format=memory_format)
    (grad,) = torch.autograd.grad(out, x, torch.randn_like(out))
    assert grad.is_contiguous(memory_format=memory_format)


def test_any_strides_of_input_and_gradient():
    released, unit = make_pair(order="interaction")
    base = torch.randn(2, 7, C, 12, dtype=torch.float64, requires_grad=True)
    x = base.transpose(1, 2)[..., ::2]
    for weight in (torch.ones(1, dtype=x.dtype).expand(x.shape), torch.randn_like(base)[..., ::2]):
        weight = weight if weight.shape == x.shape else weight.transpose(1, 2)
        expected, actual = (
            torch.autograd.grad(module(x), base, weight)[0] for module in (released, unit)
        )
        assert_close(actual, expected)
