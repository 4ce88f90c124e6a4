"""The factored unit with autograd, torch.func, TorchScript, FSDP and replaced submodules."""

import io
import os

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel

from glore_seg.layers import GloReUnit

SHAPE = (2, 12, 6, 7)


def make_unit(order: str = "interaction", **options) -> GloReUnit:
    torch.manual_seed(0)
    unit = GloReUnit(12, 5, 6, order=order, zero_init=False, **options).double()
    nn.init.uniform_(unit.blocker.weight, 0.5, 1.5)
    return unit


def make_input(requires_grad: bool = True) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(SHAPE, dtype=torch.float64, generator=generator)
    return x.requires_grad_(requires_grad)


def second_gradients(unit: GloReUnit, x: torch.Tensor) -> list[torch.Tensor]:
    """Gradients of a penalty on the gradients of all that learns."""
    wanted = [t for t in (x, *dict(unit.named_parameters()).values()) if t.requires_grad]
    grads = torch.autograd.grad(unit(x).sin().sum(), wanted, create_graph=True)
    return list(torch.autograd.grad(sum(g.square().sum() for g in grads), wanted))


@pytest.mark.parametrize("frozen", ["", "conv_proj", "conv_state", "conv", "all", "input"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("share_projection", [True, False])
def test_second_gradients_with_frozen_parts(frozen, training, share_projection):
    found = []
    for order in ("coordinate", "interaction"):
        unit = make_unit(order, share_projection=share_projection).train(training)
        for name, parameter in unit.named_parameters():
            if frozen and (frozen == "all" or name.startswith(frozen)):
                parameter.requires_grad_(False)
        found.append(second_gradients(unit, make_input(frozen != "input")))
    assert len(found[0]) > 0
    for actual, expected in zip(found[1], found[0], strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def test_torch_func():
    unit = make_unit().eval()
    x = make_input(requires_grad=False)
    expected = torch.autograd.functional.jacobian(lambda x: unit(x).sum((2, 3)), x)
    actual = torch.func.jacrev(lambda x: unit(x).sum((2, 3)))(x)
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
    each = torch.func.vmap(lambda one: unit(one[None])[0])(x)
    torch.testing.assert_close(each, unit(x), rtol=1e-9, atol=1e-9)
    _, slope = torch.func.jvp(lambda x: unit(x).sum((2, 3)), (x,), (torch.ones_like(x),))
    torch.testing.assert_close(slope, expected.sum((2, 3, 4, 5)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("no_grad", [True, False])
def test_torchscript_traces(no_grad):
    unit = make_unit().eval()
    x = make_input(requires_grad=False)
    with torch.set_grad_enabled(not no_grad):
        traced = torch.jit.trace(unit, x)
    file = io.BytesIO()
    torch.jit.save(traced, file)
    file.seek(0)
    # A trace holds 1/L in fp32.
    torch.testing.assert_close(torch.jit.load(file)(x), unit(x), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("conv_state", lambda _: nn.Conv2d(12, 6, 1, bias=False), "conv_state is Conv2d"),
        ("conv_state", lambda _: nn.Conv2d(12, 6, 3, padding=1), "conv_state is Conv2d"),
        ("blocker", nn.Sequential, "last norm is Sequential, not BatchNorm"),
        ("conv_proj", lambda conv: conv, "conv_proj has a hook"),
    ],
)
def test_submodules_that_small_matrices_cannot_replace_are_called(name, change, reason):
    unit, x = make_unit("auto"), torch.randn(1, 12, 64, 64, dtype=torch.float64)
    setattr(unit, name, change(getattr(unit, name)).double())
    called = []
    if "hook" not in reason:
        assert unit(x).isfinite().all()
    unit.get_submodule(name).register_forward_hook(lambda *_: called.append(1))
    unit(x)
    assert called == [1]
    unit.order = "interaction"
    with pytest.raises(ValueError, match=reason):
        unit(x)


def test_slice_of_channels_stays_channels_last():
    unit = make_unit().eval()
    whole = torch.randn(2, 20, 6, 7, dtype=torch.float64).to(memory_format=torch.channels_last)
    out = unit(whole[:, :12])
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, make_unit("coordinate").eval()(whole[:, :12]))


@pytest.fixture
def process_group(tmp_path, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delitem(os.environ, name, raising=False)
    store = dist.FileStore(str(tmp_path / "store"), 1)
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("use_orig_params", [True, False])
def test_fully_sharded(process_group, use_orig_params):
    unit, x = make_unit(), make_input(requires_grad=False)
    expected = unit(x).detach()
    sharded = FullyShardedDataParallel(
        make_unit(), device_id=torch.device("cpu"), use_orig_params=use_orig_params
    )
    out = sharded(x)
    torch.testing.assert_close(out.detach(), expected)
    out.sin().sum().backward()
    assert all(p.grad.isfinite().all() for p in sharded.parameters() if p.grad is not None)


def test_bias_gradients_in_bfloat16():
    """No worse than the paper's order: sums over positions are not taken of rounded values."""
    errors = {}
    for order in ("coordinate", "interaction"):
        total = 0.0
        for seed in range(6):
            torch.manual_seed(seed)
            unit = GloReUnit(64, 16, 32, order=order, zero_init=False)
            x, weight = torch.randn(2, 64, 24, 24), torch.randn(2, 64, 24, 24)
            exact = unit.double()
            (exact(x.double()) * weight).sum().backward()
            expected = exact.conv_proj.bias.grad.clone()
            exact.zero_grad()
            unit = exact.float()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                out = unit(x)
            (out.float() * weight).sum().backward()
            total += ((unit.conv_proj.bias.grad - expected).norm() / expected.norm()).item()
        errors[order] = total / 6
    assert errors["interaction"] <= 1.05 * errors["coordinate"], errors
