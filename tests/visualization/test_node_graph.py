import re

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch

from glore_seg.layers import GloReUnit
from glore_seg.visualization import adjacencies, draw_adjacency, draw_node_graph, strongest_edges

# node 0 gets from 2, node 1 from 0 and less from 2; the diagonal is no edge
MATRIX = np.array([[9.0, 0.0, -4.0], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def test_adjacency_is_what_eq_2_subtracts():
    torch.manual_seed(0)
    unit = GloReUnit(8, num_nodes=3, num_states=5, num_graph_convs=2)
    torch.nn.init.zeros_(unit.gcn.conv1.bias)
    first, second = adjacencies(unit)
    assert first.shape == (3, 3)
    assert not np.allclose(first, second)
    states = torch.rand(1, 5, 3)  # (B, S, N): V transposed
    with torch.no_grad():
        spread = states + unit.gcn.conv1(states.transpose(1, 2)).transpose(1, 2)
    expected = (np.eye(3) - first) @ states[0].T.numpy()  # (I - A) V, (N, S)
    np.testing.assert_allclose(spread[0].T.numpy(), expected, atol=1e-6)


def test_strongest_edges_come_first_and_none_is_a_loop_or_zero():
    assert strongest_edges(MATRIX) == [(2, 0), (0, 1), (2, 1)]
    assert strongest_edges(MATRIX, 2) == [(2, 0), (0, 1)]
    assert strongest_edges(np.eye(4)) == []
    assert len(strongest_edges(np.ones((8, 8)))) == 16


def test_the_matrix_is_drawn_with_white_at_zero():
    axes = draw_adjacency(MATRIX).axes[0]
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), MATRIX)
    assert image.norm(0) == 0.5
    assert (image.norm.vmin, image.norm.vmax) == (-9, 9)
    assert image.cmap(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)
    assert axes.get_xlabel() == "from node m"


def test_arrows_tell_sign_and_strength():
    figure = draw_node_graph(MATRIX)
    arrows = [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]
    widths = [arrow.get_linewidth() for arrow in arrows]
    assert widths == pytest.approx([0.4 + 2.6 / 4, 0.4 + 2.6 * 2 / 4, 3.0])  # the strongest on top
    red, _, blue = to_rgb(arrows[-1].get_edgecolor())
    assert blue > red + 0.2  # -4
    red, _, blue = to_rgb(arrows[0].get_edgecolor())
    assert red > blue + 0.05  # +1 of 9
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1", "2"]
    one = draw_node_graph(MATRIX, edges=[(0, 1)])
    assert len(one.axes[0].patches) == 1


@pytest.mark.parametrize("nodes", [1, 2, 64])
def test_any_number_of_nodes_is_drawn(nodes):
    matrix = np.random.default_rng(0).normal(size=(nodes, nodes))
    for figure in (draw_adjacency(matrix), draw_node_graph(matrix)):
        figure.canvas.draw()
    assert len(draw_node_graph(np.zeros((nodes, nodes))).axes[0].patches) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_adjacency(np.ones((2, 3))), "adjacency of shape (2, 3); expected (N, N)"),
        (lambda: draw_node_graph(np.full((2, 2), np.nan)), "values that are not finite"),
        (lambda: strongest_edges(MATRIX, 0), "number of edges is 0; expected 1 or more"),
        (
            lambda: draw_node_graph(MATRIX, edges=[(1, 1), (0, 7)]),
            "edges [(1, 1), (0, 7)] cannot be drawn; expected pairs of different nodes of 0 to 2",
        ),
    ],
)
def test_what_is_no_graph_is_refused(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
