"""What the nodes of a 3D unit look at over a clip: frames in columns, nodes in rows.

Shape legend: N nodes, T frames, H, W sizes of a frame; t, h, w sizes of the unit's feature map.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from glore_seg.errors import ConfigError
from glore_seg.visualization.projections import (
    add_color_bar,
    check_rows,
    full_color,
    over_frames,
    paint_weights,
)

_CELL = 1.3  # inches, width of a frame
_MARGIN = 1.1  # inches, for the title, the names of frames and the color bar


def draw_clip_projections(
    frames: Sequence[np.ndarray],
    weights: np.ndarray,
    out_file: str | Path,
    *,
    nodes: Sequence[int],
    title: str = "",
    colors: str = "red-green",
) -> None:
    """Draw the frames of a clip and, below each, the projection weights of some nodes over it.

    A frame gets the step in time of the unit's map that lies nearest to it: strides in time leave
    fewer steps than frames. Brightness is relative to the node: full at the 99th percentile of its
    magnitude over the whole clip, which stands at the left of its row.

    Args:
        frames: T RGB images (H, W, 3), as the network sees them.
        weights: The unit's map (N, t, h, w).
        out_file: Image to write.
        nodes: Indices of the nodes, one a row.
        title: Line above everything, such as the name of the unit.
        colors: ``"red-green"`` as in the paper's Fig. 7, or ``"orange-blue"``.

    Raises:
        ConfigError: There are no frames or nodes, ``weights`` is not (N, t, h, w), or a node is
            one that the unit does not have or is given twice.
    """
    if weights.ndim != 4:
        raise ConfigError(
            f"projection weights of shape {weights.shape}; expected a clip's, (N, t, h, w)"
        )
    maps = over_frames(weights, len(frames))  # T of (N, h, w)
    check_rows(frames, maps, nodes)
    height, width = frames[0].shape[:2]
    rows = len(nodes) + 1
    figure = Figure(
        figsize=(_CELL * len(frames) + 0.9, _CELL * height / width * rows + _MARGIN),
        layout=ConstrainedLayoutEngine(hspace=0, wspace=0),
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, len(frames), squeeze=False)
    fulls = [full_color([weights], node) for node in nodes]
    for number, (column, frame, one) in enumerate(zip(axes.T, frames, maps, strict=True), 1):
        column[0].imshow(frame)
        column[0].set_title(f"frame {number}", fontsize=9)
        for ax, node, full in zip(column[1:], nodes, fulls, strict=True):
            ax.imshow(paint_weights(frame, one[node], full=full, colors=colors))
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    names = ["input", *(f"node {n}\nfull at\n±{f:#.2g}" for n, f in zip(nodes, fulls, strict=True))]
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    if title:
        figure.suptitle(title, fontsize=10, color="#444444")
    add_color_bar(figure, axes, colors)
    figure.savefig(out_file, dpi=120)
