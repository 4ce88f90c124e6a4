"""Units by name, and their options that weights do not show."""

import inspect

import pytest
import torch

from glore_seg.layers.extra_units import hidden_options, unit_builder
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
