"""Maps of the projection weights b_i of a GloRe unit (Eq. 1) over images, as in Fig. 7.

Shape legend: B batch; N nodes; R images of a figure; T frames of a clip; H, W size of an image;
t, h, w sizes of the unit's feature map.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit

# Colors of positive and negative weights. Most color-blind people cannot tell the paper's pair
# apart.
COLORS = {
    "red-green": ((255, 40, 30), (0, 225, 60)),
    "orange-blue": ((255, 150, 20), (40, 140, 255)),
}
_BACKGROUND = 0.35  # brightness of the gray image where a weight is 0
_FULL = 99.0  # percentile of |b| at full color; the maximum would darken maps with outliers
_BAR = 0.12  # inches, height of the color bar
_FAINT = 0.1  # nodes weaker than this share of the strongest are picked last


def find_unit(model: nn.Module, name: str | None = None) -> tuple[str, GloReUnit]:
    """Find a GloRe unit of a network by its name, such as ``decode_head.units.0``; return both.

    The default is the last unit that is not in an ``auxiliary_head``, which predictions do not use.

    Raises:
        ConfigError: The network has no unit, or none of that name; the message lists those it has.
    """
    units = {n: m for n, m in model.named_modules() if isinstance(m, GloReUnit)}
    if not units:
        raise ConfigError(
            f"this {type(model).__name__} has no GloRe unit; give a config with one, such as "
            "configs/fcn_r50_glore_cityscapes.py"
        )
    predicting = [n for n in units if not n.startswith("auxiliary_head")]
    name = name or (predicting or [*units])[-1]
    if name not in units:
        raise ConfigError(f"the network has no unit {name!r}; expected one of {', '.join(units)}")
    return name, units[name]


@contextmanager
def capture_projections(unit: GloReUnit) -> Iterator[list[Tensor]]:
    """Yield a list that gets the projection weights, (B, N, *sizes), float32, of a unit's calls.

    Example:
        >>> import torch
        >>> unit = GloReUnit(16)
        >>> with capture_projections(unit) as weights:
        ...     _ = unit(torch.rand(1, 16, 8, 8))
        >>> weights[0].shape
        torch.Size([1, 4, 8, 8])
    """
    weights: list[Tensor] = []

    def keep(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(module, GloReUnit)
        weights.append(module.project(args[0]).detach().float())

    handle = unit.register_forward_pre_hook(keep)
    try:
        yield weights
    finally:
        handle.remove()


def pick_nodes(weights: Sequence[np.ndarray], number: int) -> list[int]:
    """Pick the nodes with the most distinct maps: indices, at most N, in the order of picking.

    The first has the greatest root mean square; each next one has the least absolute cosine with
    the nearest map picked so far, not centered: a constant map is a pattern as well. Nodes weaker
    than a tenth of the strongest come last. Images (N, *sizes) of any size have the same weight.

    Raises:
        ConfigError: ``number`` is below 1.
    """
    if number < 1:
        raise ConfigError(f"number of nodes is {number}; expected 1 or more")
    flat = np.concatenate(
        [w.reshape(len(w), -1) / w[0].size ** 0.5 for w in weights], axis=1, dtype=np.float64
    )  # (N, positions)
    strength = np.linalg.norm(flat, axis=1)
    unit = flat / np.maximum(strength, np.finfo(np.float64).tiny)[:, None]
    faint = strength < _FAINT * strength.max()
    picked = [int(strength.argmax())]
    nearest = np.zeros(len(flat))  # greatest |cosine| with a picked one
    while len(picked) < min(number, len(flat)):
        nearest = np.maximum(nearest, np.abs(unit @ unit[picked[-1]]))
        rank = nearest + 2 * faint
        rank[picked] = np.inf
        picked.append(int(rank.argmin()))
    return picked


def check_nodes(nodes: Sequence[int], num_nodes: int) -> None:
    """Raise a ConfigError if an index is not in 0 to ``num_nodes`` - 1, or occurs twice."""
    if len(set(nodes)) < len(nodes) or not set(nodes) <= {*range(num_nodes)}:
        raise ConfigError(
            f"nodes are {[*nodes]}; expected different indices from 0 to {num_nodes - 1}"
        )


def paint_weights(
    image: np.ndarray, weights: np.ndarray, *, full: float, colors: str = "red-green"
) -> np.ndarray:
    """Paint the weights of one node over an image (H, W, 3), RGB, uint8; returns the same.

    The weights, (h, w), are interpolated linearly to the size of the image. The hue is the sign, in
    :data:`COLORS`, the brightness the magnitude: the color times ``|b| / full``, ``full`` above 0,
    over a dim gray copy of the image that fades out as the color gets brighter.
    """
    height, width = image.shape[:2]
    b = cv2.resize(weights.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.clip(np.abs(b) / full, 0, 1)[..., None]  # (H, W, 1)
    positive, negative = np.array(COLORS[colors], np.float32)
    color = np.where(b[..., None] > 0, positive, negative)  # (H, W, 3)
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return (share * color + (1 - share) * _BACKGROUND * gray).round().astype(np.uint8)


def full_color(weights: Sequence[np.ndarray], node: int) -> float:
    """Magnitude of the full color: the 99th percentile of a node's |b| over all images."""
    magnitudes = np.concatenate([np.abs(w[node]).ravel() for w in weights])
    return max(float(np.percentile(magnitudes, _FULL)), float(np.finfo(np.float32).tiny))


def over_frames(weights: np.ndarray, num_frames: int) -> list[np.ndarray]:
    """For each of T frames the map (N, h, w) of the nearest step of a 3D unit's, (N, t, h, w).

    Strides in time may leave fewer steps than frames.
    """
    steps = weights.shape[1]
    return [weights[:, (2 * i + 1) * steps // (2 * num_frames)] for i in range(num_frames)]


def draw_projections(
    images: Sequence[np.ndarray],
    weights: Sequence[np.ndarray],
    out_file: str | Path,
    *,
    nodes: Sequence[int],
    title: str = "",
    colors: str = "red-green",
    clip: bool = False,
) -> None:
    """Draw images and the projection weights of some nodes over them (Fig. 7).

    Each of R RGB images (H, W, 3), with maps (N, h, w), is a row, each node a column; for a
    ``clip`` of frames, with maps from :func:`over_frames`, it is the other way round. Brightness is
    relative to the node: full at the 99th percentile of its magnitude over all images, which is
    printed with its number. ``colors`` is one of :data:`COLORS`.
    """
    height, width = images[0].shape[:2]
    cell = 1.3 if clip else 2.6  # inches
    lines, margin, top = len(nodes) + 1, 0.9 if clip else 0.0, 1.1 if clip else 0.95
    rows, columns = (lines, len(images)) if clip else (len(images), lines)
    figure = Figure(
        figsize=(cell * columns + margin, cell * height / width * rows + top),
        layout=ConstrainedLayoutEngine(hspace=0, wspace=0),
    )
    grid = figure.subplots(rows, columns, squeeze=False)
    axes = grid.T if clip else grid  # (images, 1 + nodes)
    full = {node: full_color(weights, node) for node in nodes}
    for line, image, maps in zip(axes, images, weights, strict=True):
        line[0].imshow(image)
        for ax, node in zip(line[1:], nodes, strict=True):
            ax.imshow(paint_weights(image, maps[node], full=full[node], colors=colors))
    for ax in grid.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    if clip:
        for number, ax in enumerate(axes[:, 0], 1):
            ax.set_title(f"frame {number}", fontsize=9)
        names = ["input", *(f"node {n}\nfull at\n±{full[n]:#.2g}" for n in nodes)]
        for ax, name in zip(axes[0], names, strict=True):
            ax.set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    else:
        names = ["input", *(f"node {n},  full at ±{full[n]:#.2g}" for n in nodes)]
        for ax, name in zip(axes[0], names, strict=True):
            ax.set_title(name, fontsize=10)
    if title:
        figure.suptitle(title, fontsize=10, color="#444444")
    _add_color_bar(figure, grid, colors)
    figure.savefig(out_file, dpi=120)


def _add_color_bar(figure: Figure, axes: np.ndarray, colors: str) -> None:
    """Add a legend of the colors of :func:`paint_weights` below the axes."""
    positive, negative = np.array(COLORS[colors]) / 255
    ramp = np.concatenate(
        [np.linspace(1, 0, 128)[:, None] * negative, np.linspace(0, 1, 128)[:, None] * positive]
    )
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), ListedColormap(ramp)),
        ax=list(axes.flat),
        location="bottom",
        fraction=_BAR / figure.get_figheight(),
        aspect=0.5 * figure.get_figwidth() / _BAR,
        pad=0.01,
        shrink=0.5,
        ticks=[-1, 0, 1],
    )
    sign = colors.split("-")
    bar.ax.set_xticklabels([f"negative ({sign[1]}), full", "0", f"positive ({sign[0]}), full"])
    bar.ax.tick_params(labelsize=8, length=0)
    bar.set_label("projection weight b", fontsize=8)
