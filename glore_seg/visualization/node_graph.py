"""The graph that a GloRe unit learned: its adjacency A_g of Eq. 2 as a matrix and as a drawing.

Shape legend: N nodes of a unit; E drawn edges.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.layers.graph_conv import GraphConv

# Ends that those can tell apart who cannot tell red from green; white is 0.
_MAP = LinearSegmentedColormap.from_list("blue-orange", ["#0b4fa8", "#ffffff", "#c65500"])
_THICKEST = 3.0  # points, of the strongest edge
_THINNEST = 0.4
_EDGES_PER_NODE = 2
_BEND = 0.18  # so that the two edges between a pair of nodes do not lie on each other
_TICKS = 9  # along the matrix, at most


def adjacencies(unit: GloReUnit) -> list[np.ndarray]:
    """Read the adjacency matrix A_g of each graph convolution of a unit.

    The released unit learns ``-A_g`` as the weight of ``gcn.conv1`` and adds the identity as a
    shortcut; with the weight W this is ``I + W = I - A_g`` of Eq. 2, so ``A_g = -W``. Entry
    (n, m) says how much of node m's state node n takes away from its own.

    Args:
        unit: Any unit.

    Returns:
        One (N, N), float32, for each graph convolution, in their order.
    """
    convs = [module for module in unit.modules() if isinstance(module, GraphConv)]
    return [-conv.conv1.weight.detach().float().cpu().numpy()[:, :, 0] for conv in convs]  # (N, N)


def strongest_edges(matrix: np.ndarray, number: int | None = None) -> list[tuple[int, int]]:
    """Find the edges between different nodes that have the greatest magnitudes.

    Args:
        matrix: A_g, (N, N).
        number: How many at most. Default: 2 N.

    Returns:
        Pairs of the giving node m and the receiving node n of ``matrix[n, m]``, the strongest
        first; none of weight 0.

    Raises:
        ConfigError: The matrix is not square or not finite, or ``number`` is below 1.
    """
    _check_matrix(matrix)
    number = _EDGES_PER_NODE * len(matrix) if number is None else number
    if number < 1:
        raise ConfigError(f"number of edges is {number}; expected 1 or more")
    size = np.abs(matrix) * (1 - np.eye(len(matrix)))
    order = np.argsort(-size, axis=None, kind="stable")[:number]
    receivers, givers = np.unravel_index(order, matrix.shape)
    pairs = zip(givers.tolist(), receivers.tolist(), strict=True)
    return [(m, n) for m, n in pairs if size[n, m] > 0]


def draw_adjacency(matrix: np.ndarray) -> Figure:
    """Draw the adjacency matrix, a cell for each pair of nodes.

    Args:
        matrix: A_g, (N, N).

    Returns:
        The figure; white is 0, the colors end at the greatest magnitude.

    Raises:
        ConfigError: The matrix is not square or not finite.
    """
    _check_matrix(matrix)
    figure, axes = _figure(5.4, 4.6)
    axes.imshow(matrix, cmap=_MAP, norm=_norm(matrix), interpolation="nearest")
    ticks = np.arange(0, len(matrix), -(-len(matrix) // _TICKS))
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.set(xlabel="from node m", ylabel="to node n")
    _bar(figure, axes, matrix)
    return figure


def draw_node_graph(
    matrix: np.ndarray, *, edges: Sequence[tuple[int, int]] | None = None
) -> Figure:
    """Draw the nodes on a circle and arrows from those that give to those that receive.

    Width and color of an arrow tell the entry of A_g.

    Args:
        matrix: A_g, (N, N).
        edges: Pairs (m, n) of different nodes to draw. Default: :func:`strongest_edges`.

    Returns:
        The figure.

    Raises:
        ConfigError: The matrix is not square or not finite, or an edge names a node that is not
            there, or leads from a node to itself.
    """
    _check_matrix(matrix)
    edges = strongest_edges(matrix) if edges is None else edges
    nodes = len(matrix)
    wrong = [e for e in edges if e[0] == e[1] or not all(0 <= node < nodes for node in e)]
    if wrong:
        raise ConfigError(
            f"edges {wrong} cannot be drawn; expected pairs of different nodes of 0 to {nodes - 1}"
        )
    angles = np.pi / 2 - 2 * np.pi * np.arange(nodes) / nodes  # clockwise from the top
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (N, 2)
    figure, axes = _figure(5.4, 4.6)
    norm = _norm(matrix)
    strongest = max((abs(matrix[n, m]) for m, n in edges), default=1.0)
    for m, n in reversed(edges):  # the strongest on top
        width = _THINNEST + (_THICKEST - _THINNEST) * abs(matrix[n, m]) / strongest
        arrow = FancyArrowPatch(
            (places[m, 0], places[m, 1]),
            (places[n, 0], places[n, 1]),
            connectionstyle=f"arc3,rad={_BEND}",
            arrowstyle="-|>",
            mutation_scale=5 + 2 * width,
            shrinkA=6,
            shrinkB=6,
            linewidth=width,
            color=_MAP(norm(matrix[n, m])),
        )
        axes.add_patch(arrow)
    axes.scatter(places[:, 0], places[:, 1], s=34, color="#333333", zorder=3)
    small = 9 if nodes <= 40 else 6
    for node, (x, y) in enumerate(places):
        axes.text(1.1 * x, 1.1 * y, str(node), ha="center", va="center", fontsize=small)
    axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    axes.set_axis_off()
    _bar(figure, axes, matrix)
    return figure


def _check_matrix(matrix: np.ndarray) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ConfigError(f"adjacency of shape {matrix.shape}; expected (N, N), see adjacencies()")
    if not np.isfinite(matrix).all():
        raise ConfigError(
            "the adjacency holds values that are not finite; expected weights of a training that "
            "went well: take an earlier checkpoint"
        )


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _norm(matrix: np.ndarray) -> Normalize:
    end = float(np.abs(matrix).max()) or 1.0
    return Normalize(-end, end)


def _bar(figure: Figure, axes: Axes, matrix: np.ndarray) -> None:
    shown = ScalarMappable(_norm(matrix), _MAP)
    figure.colorbar(shown, ax=axes, shrink=0.8, label="entry of the adjacency A")
