"""What the check says of checkpoints that do not fit."""

import pytest
import torch
from torch import nn

from glore_seg.engine import check_state_dict
from glore_seg.layers import GloReUnit


def check(model, state, strict=True):
    check_state_dict(model, state, source="weights.pth", strict=strict)


def test_what_fits():
    unit = GloReUnit(16)
    state = unit.state_dict()
    check(unit, state)
    check(unit, {f"module.{k}": v for k, v in state.items()})
    check(unit, {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")})
    check(unit, {**state, "auxiliary_head.conv_seg.weight": torch.zeros(1)})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (GloReUnit(16, num_graph_convs=2), r"12 of 12 .*3 not in the model: gcn2.conv1.weight"),
        (GloReUnit(16, share_projection=False), "2 not in the model: conv_reproj.weight"),
        (GloReUnit(16, num_nodes=5, num_states=8), r"conv_proj.weight \(5, 16, 1, 1\), needed"),
        (nn.Linear(3, 3), r"0 of 12 .*12 missing: conv_state.weight.* and 8 more"),
    ],
)
def test_what_does_not(other, message):
    with pytest.raises(ValueError, match=message) as error:
        check(GloReUnit(16), other.state_dict())
    assert str(error.value).startswith("weights.pth is of another network than the config")


def test_a_start_needs_something_in_common():
    unit = GloReUnit(16)
    check(unit, GloReUnit(16, num_nodes=5, num_states=8).state_dict(), strict=False)
    with pytest.raises(ValueError, match="no parameter in common with this GloReUnit"):
        check(unit, nn.Linear(3, 3).state_dict(), strict=False)
