"""MACs against the closed form, and the sizes to count for."""

import pytest
from mmengine.config import Config
from torch import nn

from glore_seg.apis import count_complexity
from glore_seg.apis.complexity import input_sizes
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit


@pytest.mark.parametrize("order", ["auto", "interaction"])
@pytest.mark.parametrize("num_graph_convs", [1, 3])
def test_unit_is_counted_in_the_papers_order(num_graph_convs, order):
    c, n, s, length, batch = 32, 4, 6, 50 * 70, 2
    unit = GloReUnit(c, n, s, num_graph_convs=num_graph_convs, order=order)
    counts = count_complexity(unit, (batch, c, 50, 70))
    graph = n * n * s + s * s * n
    assert counts.macs == batch * (
        c * s * length  # conv_state
        + c * n * length  # conv_proj
        + s * n * length  # Eq. 1
        + num_graph_convs * graph  # Eq. 2
        + s * n * length  # Eq. 4
        + s * c * length  # conv_extend
    )
    assert counts.macs_by_module["conv_state"] == batch * c * s * length
    assert counts.macs_by_module["gcn"] == batch * graph
    half = count_complexity(unit, (batch, c, 50, 70), forward=lambda x: unit(x[..., :35]))
    assert half.macs == count_complexity(unit, (batch, c, 50, 35)).macs


def test_parameters_and_statistics():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    network[0].bias.requires_grad_(False)
    counts = count_complexity(network, (1, 3, 6, 6))
    assert (counts.params, counts.params_with_stats) == (216 + 16, 216 + 16 + 16)
    assert counts.macs == 216 * 4 * 4


@pytest.mark.parametrize(
    ("scope", "shape", "sizes"),
    [
        ("mmseg", None, (1024, 2048)),
        ("mmpretrain", None, (224, 224)),
        ("mmaction", None, (8, 224, 224)),
        ("mmseg", [64], (64, 64)),
        ("mmaction", [4, 64, 96], (4, 64, 96)),
    ],
)
def test_input_sizes(scope, shape, sizes):
    assert input_sizes(Config({"default_scope": scope}), shape) == sizes


@pytest.mark.parametrize(
    ("scope", "shape", "message"),
    [
        ("mmaction", [64], r"\(64,\); expected frames, height"),
        ("mmseg", [8, 64, 64], r"\(8, 64, 64\); expected height"),
    ],
)
def test_rejects_sizes_of_another_task(scope, shape, message):
    with pytest.raises(ConfigError, match=message):
        input_sizes(Config({"default_scope": scope}), shape)
