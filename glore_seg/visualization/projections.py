"""What the nodes of a GloRe unit look at: the projection weights b_i of Eq. 1 as images (Fig. 7).

Shape legend: B batch, N nodes, R rows of a figure (images, or frames of a clip); T frames, H, W
sizes of an image; t, h, w sizes of the unit's feature map.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit

# The colors of positive and negative weights. The paper's are the pair that most color-blind
# people cannot tell apart.
COLORS = {
    "red-green": ((255, 40, 30), (0, 225, 60)),
    "orange-blue": ((255, 150, 20), (40, 140, 255)),
}
_BACKGROUND = 0.35  # brightness of the gray image where a weight is 0
_FULL = 99.0  # percentile of |b| that gets the full color: single outliers would darken the rest
_BAR = 0.12  # inches, height of the color bar
_FAINT = 0.1  # nodes weaker than this share of the strongest are not picked


def find_unit(model: nn.Module, name: str | None = None) -> tuple[str, GloReUnit]:
    """Find a GloRe unit of a network.

    Args:
        model: Any network with :class:`glore_seg.layers.GloReUnit` in it.
        name: Dotted name, such as ``decode_head.units.0``. Default: the last unit, but none of an
            ``auxiliary_head``, which predictions do without.

    Returns:
        The name and the unit.

    Raises:
        ConfigError: The network has no unit, or none of that name; the message lists those it has.
    """
    units = {n: m for n, m in model.named_modules() if isinstance(m, GloReUnit)}
    order = {n: i for i, n in enumerate(units)}
    if not units:
        raise ConfigError(
            f"this {type(model).__name__} has no GloRe unit; give a config with one, such as "
            "configs/fcn_r50_glore_cityscapes.py"
        )
    name = name or max(units, key=lambda n: (not n.startswith("auxiliary_head"), order[n]))
    if name not in units:
        raise ConfigError(f"unit {name!r} is none of the network's; it has {', '.join(units)}")
    return name, units[name]


@contextmanager
def capture_projections(unit: GloReUnit) -> Iterator[list[Tensor]]:
    """Collect the projection weights of a unit while its network runs.

    Yields:
        A list that gets (B, N, *sizes), float32, for each call of the unit.

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
    """Pick the nodes whose maps are most distinct.

    The first is the node with the greatest root mean square. Each next one is the node whose
    greatest absolute cosine with the maps picked before is least. The cosine is taken of the maps
    as they are, not centered, so that an even map, which pools over the whole image, counts as a
    pattern of its own. Nodes weaker than a tenth of the strongest come last.

    Args:
        weights: Maps (N, *sizes) of one or more images; each image counts alike.
        number: How many nodes; at most N are given.

    Returns:
        Indices of the nodes in the order in which they were picked.

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
    """Refuse nodes that a unit does not have, or that would be shown twice.

    Args:
        nodes: Indices of nodes.
        num_nodes: N, how many the unit has.

    Raises:
        ConfigError: An index is not of 0 to N - 1, or is given twice.
    """
    wrong = [node for node in nodes if not 0 <= node < num_nodes]
    if wrong:
        raise ConfigError(
            f"nodes {wrong} are none of the unit's; it has {num_nodes}, from 0 to {num_nodes - 1}"
        )
    if len(set(nodes)) < len(nodes):
        raise ConfigError(f"nodes {[*nodes]} name one twice; expected each once: leave it out")


def paint_weights(
    image: np.ndarray, weights: np.ndarray, *, full: float, colors: str = "red-green"
) -> np.ndarray:
    """Paint the weights of one node over an image.

    Hue tells the sign, brightness the magnitude: the color of the sign times ``|b| / full``,
    over a dim gray copy of the image which fades where the color is bright.

    Args:
        image: RGB image (H, W, 3).
        weights: Map (h, w) of one node; it is interpolated linearly to the image's size.
        full: Magnitude from which the color is at its brightest, above 0.
        colors: ``"red-green"``, positive and negative as in the paper, or ``"orange-blue"``.

    Returns:
        (H, W, 3), RGB, uint8.

    Raises:
        ConfigError: ``colors`` is unknown, or ``full`` is not above 0.
    """
    if colors not in COLORS:
        raise ConfigError(f"colors is {colors!r}; expected one of {', '.join(COLORS)}")
    if not full > 0:
        raise ConfigError(f"full is {full}; expected a magnitude above 0")
    height, width = image.shape[:2]
    b = cv2.resize(weights.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.clip(np.abs(b) / full, 0, 1)[..., None]  # (H, W, 1)
    positive, negative = np.array(COLORS[colors], np.float32)
    color = np.where(b[..., None] > 0, positive, negative)  # (H, W, 3)
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return (share * color + (1 - share) * _BACKGROUND * gray).round().astype(np.uint8)


def full_color(weights: Sequence[np.ndarray], node: int) -> float:
    """Magnitude that gets the full color: the 99th percentile of a node's |b| in all images."""
    magnitudes = np.concatenate([np.abs(w[node]).ravel() for w in weights])
    return max(float(np.percentile(magnitudes, _FULL)), float(np.finfo(np.float32).tiny))


def over_frames(weights: np.ndarray, num_frames: int) -> list[np.ndarray]:
    """Share a 3D unit's map out to the frames of its clip.

    Args:
        weights: (N, t, h, w).
        num_frames: Frames T of the clip, of which the network's strides leave t.

    Returns:
        For each frame the map (N, h, w) of the nearest step in time.
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
) -> None:
    """Draw images and, beside each, the projection weights of some nodes over it (Fig. 7).

    Rows are images, or the frames of a clip; then ``weights`` comes from :func:`over_frames`.
    Brightness is relative to the node: full at the 99th percentile of its magnitude over all rows,
    which stands above its column.

    Args:
        images: R RGB images (H, W, 3).
        weights: For each image the maps (N, h, w).
        out_file: Image to write.
        nodes: Indices of the nodes, one a column.
        title: Line above everything, such as the name of the unit.
        colors: ``"red-green"`` as in the paper, or ``"orange-blue"``.

    Raises:
        ConfigError: There are no images or nodes, not as many maps as images, maps that are not
            (N, h, w), or a node that the unit does not have or that is given twice.
    """
    check_rows(images, weights, nodes)
    height, width = images[0].shape[:2]
    cell = 2.6
    figure = Figure(
        figsize=(cell * (len(nodes) + 1), cell * height / width * len(images) + 0.95),
        layout=ConstrainedLayoutEngine(hspace=0, wspace=0),
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(images), len(nodes) + 1, squeeze=False)
    for row, image, maps in zip(axes, images, weights, strict=True):
        row[0].imshow(image)
        for column, node in zip(row[1:], nodes, strict=True):
            full = full_color(weights, node)
            column.imshow(paint_weights(image, maps[node], full=full, colors=colors))
    for ax in axes.flat:
        ax.set_axis_off()
    axes[0, 0].set_title("input", fontsize=10)
    for ax, node in zip(axes[0, 1:], nodes, strict=True):
        ax.set_title(f"node {node},  full at ±{full_color(weights, node):#.2g}", fontsize=10)
    if title:
        figure.suptitle(title, fontsize=10, color="#444444")
    add_color_bar(figure, axes, colors)
    figure.savefig(out_file, dpi=120)


def add_color_bar(figure: Figure, axes: np.ndarray, colors: str) -> None:
    """Put a bar below a figure's axes that tells what the colors of :func:`paint_weights` mean."""
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


def check_rows(
    images: Sequence[np.ndarray], weights: Sequence[np.ndarray], nodes: Sequence[int]
) -> None:
    """Refuse images, maps and nodes that don't belong together.

    Raises:
        ConfigError: See :func:`draw_projections`.
    """
    if not len(images) or len(images) != len(weights) or not len(nodes):
        raise ConfigError(
            f"{len(images)} images, {len(weights)} maps and {len(nodes)} nodes; expected one or "
            "more images, a map for each, and one or more nodes"
        )
    for maps in weights:
        if maps.ndim != 3:
            raise ConfigError(
                f"projection weights of shape {maps.shape}; expected (N, h, w) for each image; "
                "over_frames() makes them of a clip's (N, t, h, w)"
            )
    check_nodes(nodes, len(weights[0]))
