"""Eq. 2 by matrices."""

import pytest
import torch

from glore_seg.layers import GraphConv


@pytest.mark.parametrize("act_position", ["between", "after"])
def test_equals_eq_2(act_position):
    torch.manual_seed(0)
    conv = GraphConv(4, 6, act_position=act_position).double()
    states = torch.randn(3, 6, 4, dtype=torch.float64)
    minus_adjacency = conv.conv1.weight[:, :, 0]
    update = conv.conv2.weight[:, :, 0].T
    for got, state in zip(conv(states), states, strict=True):
        v = state.T  # (N, S)
        spread = (torch.eye(4) + minus_adjacency) @ v + conv.conv1.bias[:, None]
        if act_position == "between":
            expected = spread.clamp(min=0) @ update
        else:
            expected = (spread @ update).clamp(min=0)
        torch.testing.assert_close(got.T, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0)])
def test_sizes_below_one(sizes):
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        GraphConv(*sizes)
