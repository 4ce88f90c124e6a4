"""The norm alone is BatchNorm; test_interaction_norm.py has it in two processes."""

import pytest
import torch
from torch import nn

from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm

NORMS = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


@pytest.mark.parametrize("ndim", NORMS)
@pytest.mark.parametrize("affine", [True, False])
def test_equals_batch_norm_in_one_process(ndim, affine):
    torch.manual_seed(0)
    ours, theirs = SynchronizedBatchNorm(3, affine=affine), NORMS[ndim](3, affine=affine)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for training in (True, False):
        x = torch.randn(4, 3, *(5, 2, 4)[:ndim])
        assert torch.equal(ours.train(training)(x), theirs.train(training)(x))
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name
