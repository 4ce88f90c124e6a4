import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from glore_seg.layers import GloReUnit
from glore_seg.visualization import adjacencies, draw_adjacency, draw_node_graph

# edges 2 -> 0, 0 -> 1 and the weaker 2 -> 1; the diagonal is no edge
MATRIX = np.array([[9.0, 0.0, -4.0], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def test_adjacency_equals_eq_2():
    torch.manual_seed(0)
    unit = GloReUnit(8, num_nodes=3, num_states=5, num_graph_convs=2)
    torch.nn.init.zeros_(unit.gcn.conv1.bias)
    first, second = adjacencies(unit)
    assert first.shape == (3, 3)
    assert not np.allclose(first, second)
    states = torch.rand(1, 5, 3)  # (B, S, N): V transposed
    with torch.no_grad():
        found = states + unit.gcn.conv1(states.transpose(1, 2)).transpose(1, 2)
    expected = (np.eye(3) - first) @ states[0].T.numpy()  # (I - A) V, (N, S)
    np.testing.assert_allclose(found[0].T.numpy(), expected, atol=1e-6)


def test_the_matrix_is_white_at_zero():
    axes = draw_adjacency(MATRIX).axes[0]
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), MATRIX)
    assert (image.norm.vmin, image.norm.vmax) == (-9, 9)
    assert image.cmap(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)
    assert axes.get_xlabel() == "from node m"


def test_arrows_show_sign_and_magnitude():
    axes = draw_node_graph(MATRIX).axes[0]
    widths = [arrow.get_linewidth() for arrow in axes.patches]
    assert widths == pytest.approx([0.4 + 2.6 / 4, 0.4 + 2.6 * 2 / 4, 3.0])  # the strongest on top
    colors = [to_rgb(arrow.get_edgecolor()) for arrow in axes.patches]
    assert colors[2][2] > colors[2][0] + 0.2  # -4 is blue
    assert colors[0][0] > colors[0][2] + 0.05  # +1 of 9 is slightly orange
    assert [text.get_text() for text in axes.texts] == ["0", "1", "2"]


@pytest.mark.parametrize(("nodes", "edges"), [(1, 0), (2, 2), (64, 128)])
def test_any_number_of_nodes(nodes, edges):
    matrix = np.random.default_rng(0).normal(size=(nodes, nodes))
    draw_adjacency(matrix).draw_without_rendering()
    graph = draw_node_graph(matrix)
    graph.draw_without_rendering()
    assert len(graph.axes[0].patches) == edges  # two per node
    assert len(draw_node_graph(np.zeros((nodes, nodes))).axes[0].patches) == 0
