"""What a unit does, as pieces of HTML: its projection maps and its node graph.

Shape legend: H, W sizes of an image; N nodes of a unit; h, w sizes of its map.
"""

from collections.abc import Sequence

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from glore_seg.visualization import draw_adjacency, draw_node_graph, paint_weights, pick_nodes
from glore_seg.visualization.projections import full_color
from glore_seg.visualization.report.embedding import Embedded, embed_figure, embed_image

_WIDTH = 640  # pixels of a map on the page


def render_maps(image: np.ndarray, weights: np.ndarray, *, number: int, colors: str) -> str:
    """Show the projection maps of a unit's most distinct nodes (Fig. 7).

    Args:
        image: (H, W, 3), RGB, uint8.
        weights: Projection weights, (N, h, w).
        number: How many nodes, at least 1.
        colors: ``"red-green"`` or ``"orange-blue"``.

    Returns:
        HTML with all images inside.
    """
    picked = pick_nodes([weights], number)
    positive, negative = colors.split("-")
    figures = []
    for node in picked:
        full = full_color([weights], node)
        painted = paint_weights(image, weights[node], full=full, colors=colors)
        alt = f"Projection weights of node {node} over the image"
        caption = f"node {node}, full color at ±{full:#.2g}"
        figures.append(embed_image(painted, alt=alt, caption=caption, width=_WIDTH, photo=True))
    note = (
        f"Each map shows where one of the unit's {len(weights)} nodes gathers features from, the "
        f"most distinct first: {positive} is a positive weight, {negative} a negative one, and "
        "brightness its magnitude."
    )
    return _render("maps", note, figures)


def render_graphs(matrices: Sequence[np.ndarray]) -> str:
    """Show the adjacency of each graph convolution as a drawing and as a matrix.

    Args:
        matrices: (N, N) each.

    Returns:
        HTML with all images inside.
    """
    figures = []
    for number, matrix in enumerate(matrices, 1):
        which = f" of graph convolution {number}" if len(matrices) > 1 else ""
        drawn = draw_node_graph(matrix)
        figures.append(
            embed_figure(
                drawn,
                alt=f"Nodes on a circle with arrows for the strongest entries{which}",
                caption=f"The strongest links between different nodes{which}.",
            )
        )
        figures.append(
            embed_figure(
                draw_adjacency(matrix),
                alt=f"Adjacency matrix{which}, {len(matrix)} x {len(matrix)}",
                caption=f"All links{which}, and on the diagonal each node's with itself.",
            )
        )
    note = (
        "The graph was learned in training and is the same for every image. In the paper's "
        "Z = ((I - A) V) W an entry of A says how much of node m's state is taken away from node "
        "n's: orange takes away, blue adds."
    )
    return _render("graphs", note, figures)


def render_note(text: str) -> str:
    """Say why there is nothing to show."""
    return _render("maps", text, ())


def _render(kind: str, note: str, figures: Sequence[Embedded]) -> str:
    environment = Environment(
        loader=PackageLoader("projects.web_demo", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("figures.html").render(kind=kind, note=note, figures=figures)
