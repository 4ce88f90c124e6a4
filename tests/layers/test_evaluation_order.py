"""Counted MACs against torch's counter, and the chosen order."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from glore_seg.layers import GloReUnit
from glore_seg.layers.evaluation_order import (
    coordinate_macs,
    costs_less_in_interaction_space,
    interaction_macs,
)

C, N, S = 32, 4, 6


def counted(unit: GloReUnit, sizes: tuple[int, ...]) -> int:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        unit(torch.randn(1, C, *sizes))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("sizes", [(2, 3), (40, 30)])
def test_counts(sizes, training, shared):
    length = sizes[0] * sizes[1]
    graph = N * N * S + S * S * N
    found = {}
    for order in ("coordinate", "interaction", "auto"):
        unit = GloReUnit(C, N, S, share_projection=shared, order=order).train(training)
        found[order] = counted(unit, sizes)
    assert found["coordinate"] == coordinate_macs(C, N, S, length, shared=shared) + graph
    # torch does not count the product that is added in place; the means of the extended map are
    # C N more, which no choice depends on.
    assert found["interaction"] + C * N * length == graph + C * N + interaction_macs(
        C, N, S, length, shared=shared, covariance=training
    )
    expected = "interaction" if length > 100 else "coordinate"
    assert found["auto"] == found[expected]


@pytest.mark.parametrize(
    ("shape", "interaction"),
    [
        ((512, 64, 128, 128 * 256), True),  # segmentation
        ((512, 64, 128, 97 * 97), True),
        ((512, 128, 256, 8 * 28 * 28), True),  # video
        ((1024, 256, 512, 8 * 14 * 14), True),
        ((512, 128, 256, 28 * 28), True),  # classification, Res3
        ((1024, 256, 512, 14 * 14), False),  # and Res4
    ],
)
def test_choice_at_the_papers_shapes(shape, interaction):
    for covariance in (True, False):
        assert interaction == costs_less_in_interaction_space(
            *shape, shared=True, covariance=covariance
        )
