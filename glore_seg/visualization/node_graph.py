"""The adjacency A_g of Eq. 2 that a GloRe unit learned, as a matrix and as a graph.

Shape legend: N nodes of a unit.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from glore_seg.layers import GloReUnit
from glore_seg.layers.graph_conv import GraphConv

# Readable for the color-blind; white is 0.
_MAP = LinearSegmentedColormap.from_list("blue-orange", ["#0b4fa8", "#ffffff", "#c65500"])
_THICKEST = 3.0  # points, of the strongest edge
_THINNEST = 0.4
_EDGES_PER_NODE = 2
_BEND = 0.18  # so that the two edges between a pair of nodes do not overlap
_TICKS = 9  # along the matrix, at most


def adjacencies(unit: GloReUnit) -> list[np.ndarray]:
    """Read the adjacency matrix A_g, (N, N), float32, of each graph convolution of a unit.

    The released unit learns ``-A_g`` as the weight W of ``gcn.conv1`` and adds the identity as a
    shortcut: ``I + W = I - A_g`` of Eq. 2. Entry (n, m) is the share of node m's state that is
    subtracted from node n's.
    """
    convs = [module for module in unit.modules() if isinstance(module, GraphConv)]
    return [-conv.conv1.weight.detach().float().cpu().numpy()[:, :, 0] for conv in convs]  # (N, N)


def draw_adjacency(matrix: np.ndarray) -> Figure:
    """Draw A_g, (N, N), as a matrix; white is 0, the colors end at the greatest magnitude."""
    figure, axes = _figure(matrix)
    axes.imshow(matrix, cmap=_MAP, norm=_norm(matrix), interpolation="nearest")
    ticks = np.arange(0, len(matrix), -(-len(matrix) // _TICKS))
    axes.set(xlabel="from node m", ylabel="to node n", xticks=ticks, yticks=ticks)
    return figure


def draw_node_graph(matrix: np.ndarray) -> Figure:
    """Draw the nodes on a circle, with arrows for the strongest edges of A_g, (N, N).

    Width and color of an arrow show the entry of A_g.
    """
    nodes = len(matrix)
    angles = np.pi / 2 - 2 * np.pi * np.arange(nodes) / nodes  # clockwise from the top
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (N, 2)
    figure, axes = _figure(matrix)
    norm = _norm(matrix)
    edges = _strongest_edges(matrix)
    for m, n in reversed(edges):  # the strongest on top
        strongest = abs(matrix[edges[0][1], edges[0][0]])
        width = _THINNEST + (_THICKEST - _THINNEST) * abs(matrix[n, m]) / strongest
        arrow = FancyArrowPatch(
            points[m],
            points[n],
            connectionstyle=f"arc3,rad={_BEND}",
            arrowstyle="-|>",
            mutation_scale=5 + 2 * width,
            shrinkA=6,
            shrinkB=6,
            linewidth=width,
            color=_MAP(norm(matrix[n, m])),
        )
        axes.add_patch(arrow)
    axes.scatter(points[:, 0], points[:, 1], s=34, color="#333333", zorder=3)
    for node, (x, y) in enumerate(1.1 * points):
        axes.text(x, y, str(node), ha="center", va="center", fontsize=9 if nodes <= 40 else 6)
    axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    axes.set_axis_off()
    return figure


def _figure(matrix: np.ndarray) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.4, 4.6), layout="constrained")
    axes = figure.subplots()
    colors = ScalarMappable(_norm(matrix), _MAP)
    figure.colorbar(colors, ax=axes, shrink=0.8, label="entry of the adjacency A")
    return figure, axes


def _norm(matrix: np.ndarray) -> Normalize:
    end = float(np.abs(matrix).max()) or 1.0
    return Normalize(-end, end)


def _strongest_edges(matrix: np.ndarray) -> list[tuple[int, int]]:
    """The 2 N strongest pairs (m, n) of different nodes, from m to n, without weights of 0."""
    size = np.abs(matrix) * (1 - np.eye(len(matrix)))
    order = np.argsort(-size, axis=None, kind="stable")[: _EDGES_PER_NODE * len(matrix)]
    targets, sources = np.unravel_index(order, matrix.shape)
    pairs = zip(sources.tolist(), targets.tolist(), strict=True)
    return [(m, n) for m, n in pairs if size[n, m] > 0]
