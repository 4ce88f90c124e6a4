"""bfloat16 in the forward pass, fp32 in the weights and the update."""

import torch
from torch import nn

from glore_seg.engine import BFloat16OptimWrapper


def test_forward_in_bfloat16_update_in_fp32():
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    start = model.weight.detach().clone()
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.5))
    x = torch.randn(3, 4)
    with wrapper.optim_context(model):
        out = model(x)
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().sum())
    assert model.weight.dtype == torch.float32
    expected = start - 0.5 * x.bfloat16().float().sum(0)
    torch.testing.assert_close(model.weight.detach(), expected, rtol=0, atol=0.05)
    assert not torch.equal(model.weight.detach(), start)
    assert model(x).dtype == torch.float32
