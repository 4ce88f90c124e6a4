"""Units by name, their options that weights do not show, and their positions."""

import inspect

import pytest
import torch

from glore_seg.errors import ConfigError
from glore_seg.layers.extra_units import (
    evenly_spaced_positions,
    hidden_options,
    stage_positions,
    unit_builder,
)
from glore_seg.layers.graph_conv import GraphConv


def test_defaults_of_the_hidden_options_are_the_units():
    hidden = hidden_options("glore", {})
    parameters = inspect.signature(type(unit_builder("glore")(8))).parameters
    assert hidden == {name: parameters[name].default for name in hidden}
    act_position = inspect.signature(GraphConv).parameters["act_position"].default
    assert hidden["act_position"] == act_position
    for name in ("nonlocal", "nonlocal-pooled"):
        assert hidden_options(name, {}) == {"pooled": unit_builder(name)(8).pooled}
    assert hidden_options("nonlocal", {"pooled": True, "zero_init": False}) == {"pooled": True}


@pytest.mark.parametrize(
    ("unit_type", "options"),
    [
        ("glore", {"normalize": False}),
        ("glore", {"act_position": "after"}),
        ("nonlocal", {"pooled": True}),
    ],
)
def test_hidden_options_change_the_output(unit_type, options):
    torch.manual_seed(0)
    one, other = (
        unit_builder(unit_type, zero_init=False, **more)(8).eval() for more in ({}, options)
    )
    other.load_state_dict(one.state_dict())
    x = torch.randn(1, 8, 6, 6)
    assert not torch.allclose(one(x), other(x), atol=1e-3)


@pytest.mark.parametrize(
    ("num_blocks", "num_units", "positions"),
    [
        (4, 2, (1, 3)),  # Res3 of ResNet-50 and -101
        (6, 3, (1, 3, 5)),  # Res4 of ResNet-50
        (23, 3, (6, 12, 18)),  # Res4 of ResNet-101
        (36, 3, (9, 18, 27)),  # Res4 of ResNet-200
        (6, 1, (3,)),
        (2, 2, (1, 2)),
        (3, 0, ()),
    ],
)
def test_evenly_spaced(num_blocks, num_units, positions):
    assert evenly_spaced_positions(num_blocks, num_units) == positions


@pytest.mark.parametrize("num_units", [-1, 5])
def test_rejects_too_many_or_too_few(num_units):
    with pytest.raises(ConfigError, match=f"got {num_units}"):
        evenly_spaced_positions(4, num_units)


def test_explicit_positions():
    assert stage_positions((4, 4), None, ((3, 1), ())) == [(1, 3), ()]
    assert stage_positions((4, 4), None, None) == [(), ()]


@pytest.mark.parametrize("positions", [(0, 2), (2, 5), (2, 2), (1, 1.5)])
def test_rejects_positions(positions):
    with pytest.raises(ConfigError, match="different numbers between 1 and 4"):
        stage_positions((4, 4), None, (positions, ()))
