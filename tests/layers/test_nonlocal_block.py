"""The non-local block against its equation, and its MACs."""

import copy

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn
from torch.nn import functional

from glore_seg.apis import count_complexity
from glore_seg.errors import ConfigError
from glore_seg.layers import NonLocalBlock

SIZES = {1: (7,), 2: (5, 8), 3: (3, 5, 4)}


def make_block(dimensions: int = 2, channels: int = 12, **options) -> NonLocalBlock:
    """A block in fp64 whose every parameter and statistic is random."""
    torch.manual_seed(0)
    block = NonLocalBlock(channels, dimensions=dimensions, **options).double()
    for tensor in (*block.parameters(), block.norm.running_mean):
        nn.init.normal_(tensor, std=0.5)
    nn.init.uniform_(block.norm.running_var, 0.5, 2.0)
    return block


def pool_by_hand(x: torch.Tensor) -> torch.Tensor:
    """Maxima over cells of 2 in space, those at an odd border smaller."""
    for dim in range(3 if x.dim() == 5 else 2, x.dim()):
        cells = x.split(2, dim)
        x = torch.cat([cell.amax(dim, keepdim=True) for cell in cells], dim)
    return x


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_equals_the_equation(dimensions, pooled, training):
    block = make_block(dimensions, pooled=pooled).train(training)
    x = torch.randn(2, 12, *SIZES[dimensions], dtype=torch.float64, requires_grad=True)
    p = dict(block.named_parameters())

    def embed(name, of):
        weight = p[f"{name}.weight"].flatten(1)
        return torch.einsum("ec,bcl->bel", weight, of.flatten(2)) + p[f"{name}.bias"][:, None]

    source = pool_by_hand(x) if pooled else x
    queries, keys, values = embed("theta", x), embed("phi", source), embed("g", source)
    weights = torch.einsum("bel,bep->blp", queries, keys) / 6**0.5
    out = embed("conv_out", torch.einsum("blp,bep->bel", weights.softmax(2), values))
    statistics = (block.norm.running_mean.clone(), block.norm.running_var.clone())
    affine = (p["norm.weight"], p["norm.bias"])
    out = functional.batch_norm(out, *statistics, *affine, training=training, eps=1e-4)
    expected = x + out.reshape(x.shape)
    actual = block(x)
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)

    weight = torch.randn_like(expected)
    inputs = [x, *p.values()]
    for got, wanted in zip(
        torch.autograd.grad((actual * weight).sum(), inputs),
        torch.autograd.grad((expected * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("channels", "size", "pooled", "macs"),
    [
        # Figure 4: what one block adds to ResNet-50 on Res3 and on Res4.
        (512, 28, False, 0.726e9),
        (512, 28, True, 0.336e9),
        (1024, 14, False, 0.450e9),
        (1024, 14, True, 0.267e9),
    ],
)
def test_parameters_and_macs(channels, size, pooled, macs):
    counts = count_complexity(NonLocalBlock(channels, pooled=pooled), (1, channels, size, size))
    embedding, length = channels // 2, size**2
    keys = length // 4 if pooled else length
    assert counts.macs == 2 * channels * embedding * (length + keys) + 2 * embedding * length * keys
    assert counts.macs == pytest.approx(macs, abs=0.5e6)
    assert counts.params == 4 * channels * embedding + 3 * embedding + channels + 2 * channels


def test_zero_init_is_the_identity_and_can_be_turned_off():
    x = torch.randn(2, 16, 6, 6)
    assert torch.equal(NonLocalBlock(16)(x), x)
    block = NonLocalBlock(16, zero_init=False)
    assert torch.equal(block.norm.weight, torch.ones(16))
    assert not torch.allclose(block(x), x)


@pytest.mark.slow
@pytest.mark.usefixtures("export_support")
@pytest.mark.parametrize("pooled", [False, True])
def test_fused_and_exported_blocks_agree(pooled):
    block = make_block(pooled=pooled).eval()
    x = torch.randn(2, 12, 5, 8, dtype=torch.float64)
    fused = fuse_conv_bn(copy.deepcopy(block))
    assert isinstance(fused.norm, nn.Identity)
    torch.testing.assert_close(fused(x), block(x), rtol=1e-10, atol=1e-10)
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.export.export(
        block, (x,), dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},)
    ).module()
    for shape in ((2, 12, 5, 8), (3, 12, 7, 4)):
        x = torch.randn(*shape, dtype=torch.float64)
        torch.testing.assert_close(program(x), block(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimensions": 4}, r"dimensions must be one of \(1, 2, 3\), got 4"),
        ({"channels": 1}, "inter_channels must be at least 1, got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        NonLocalBlock(**{"channels": 16, **arguments})


@pytest.mark.parametrize("shape", [(2, 16, 5), (2, 8, 5, 5), (2, 16, 1, 5, 5)])
def test_wrong_input(shape):
    with pytest.raises(ConfigError, match=r"takes \(B, 16, H, W\), got a tensor of shape"):
        NonLocalBlock(16)(torch.rand(*shape))
