"""Pictures of data, training and predictions."""

from glore_seg.visualization.browse import browse
from glore_seg.visualization.confusion import plot_confusion_matrix
from glore_seg.visualization.curves import plot_training_curves, read_scalars
from glore_seg.visualization.panels import draw_panel, overlay

__all__ = [
    "browse",
    "draw_panel",
    "overlay",
    "plot_confusion_matrix",
    "plot_training_curves",
    "read_scalars",
]
