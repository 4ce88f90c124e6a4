"""Figures of data, training, predictions and what GloRe units look at."""

from glore_seg.visualization.browse import browse
from glore_seg.visualization.clip_predictions import draw_clip_prediction
from glore_seg.visualization.clip_projections import draw_clip_projections
from glore_seg.visualization.comparison import Comparison, draw_comparison
from glore_seg.visualization.confusion import plot_confusion_matrix
from glore_seg.visualization.curves import plot_training_curves, read_scalars
from glore_seg.visualization.differences import Box, find_boxes, weigh_differences
from glore_seg.visualization.node_graph import (
    adjacencies,
    draw_adjacency,
    draw_node_graph,
    strongest_edges,
)
from glore_seg.visualization.panels import draw_panel, overlay
from glore_seg.visualization.projections import (
    capture_projections,
    draw_projections,
    find_unit,
    over_frames,
    paint_weights,
    pick_nodes,
)

__all__ = [
    "Box",
    "Comparison",
    "adjacencies",
    "browse",
    "capture_projections",
    "draw_adjacency",
    "draw_clip_prediction",
    "draw_clip_projections",
    "draw_comparison",
    "draw_node_graph",
    "draw_panel",
    "draw_projections",
    "find_boxes",
    "find_unit",
    "over_frames",
    "overlay",
    "paint_weights",
    "pick_nodes",
    "plot_confusion_matrix",
    "plot_training_curves",
    "read_scalars",
    "strongest_edges",
    "weigh_differences",
]
