"""Figures of data, training, predictions and projection maps."""

from glore_seg.visualization.comparison import (
    Comparison,
    draw_comparison,
    find_boxes,
    weigh_differences,
)
from glore_seg.visualization.curves import read_scalars
from glore_seg.visualization.node_graph import adjacencies, draw_adjacency, draw_node_graph
from glore_seg.visualization.panels import browse, draw_panel, overlay
from glore_seg.visualization.projections import (
    capture_projections,
    draw_projections,
    find_unit,
    paint_weights,
    pick_nodes,
)

__all__ = [
    "Comparison",
    "adjacencies",
    "browse",
    "capture_projections",
    "draw_adjacency",
    "draw_comparison",
    "draw_node_graph",
    "draw_panel",
    "draw_projections",
    "find_boxes",
    "find_unit",
    "overlay",
    "paint_weights",
    "pick_nodes",
    "read_scalars",
    "weigh_differences",
]
