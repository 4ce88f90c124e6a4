"""The rows of the paper's tables and of Figure 4: what it prints, and how to build the network."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import nn

from glore_seg.layers import VideoResNet
from glore_seg.layers.extra_units import UnitType
from glore_seg.layers.preact import PreActClassifier


@dataclass(frozen=True)
class Row:
    """A network in a table of the paper, with what is printed there."""

    table: str  # title, such as "Table 2"
    network: str  # equal names in several tables are one network
    build: Callable[[], nn.Module]  # called on torch's meta device
    input_shape: tuple[int, ...]  # (B, C, *sizes) that MACs are counted for
    paper_params: float | None = None
    paper_macs: float | None = None  # the paper's FLOPs
    paper_top1: float | None = None  # in percent


_TITLES = {
    "resnet50": "ResNet-50",
    "resnet152": "ResNet-152",
    "resnet200": "ResNet-200",
    "se-resnet50": "SE-ResNet-50",
    "resnext101-32x4d": "ResNeXt-101 32x4d",
    "dpn98": "DPN-98",
    "dpn131": "DPN-131",
}
_UNITS: dict[UnitType, str] = {"glore": "GloRe", "nonlocal": "NL", "nonlocal-pooled": "pooled NL"}


def imagenet_row(
    table: str,
    arch: str,
    units: tuple[int, int] = (0, 0),
    *,
    unit_type: UnitType = "glore",
    num_graph_convs: int = 1,
    params: float | None = None,
    macs: float | None = None,
    top1: float | None = None,
) -> Row:
    """Make the row of an ImageNet network at 224 x 224 with units on Res3 and on Res4.

    ``params`` are in millions and ``macs`` in billions, as printed.
    """
    name = _TITLES[arch]
    if any(units):
        name += f" + {_UNITS[unit_type]} ({units[0]},{units[1]})"
    if num_graph_convs > 1:
        name += f", g = {num_graph_convs}"
    return Row(
        table=table,
        network=name,
        build=partial(
            PreActClassifier,
            arch,
            num_units=(0, *units, 0),
            unit_type=unit_type,
            unit_cfg={"num_graph_convs": num_graph_convs} if num_graph_convs > 1 else {},
        ),
        input_shape=(1, 3, 224, 224),
        paper_params=params and round(params * 1e6),
        paper_macs=macs and round(macs * 1e9),
        paper_top1=top1,
    )


# More graph convolutions in one unit on Res4; the table prints accuracies only.
_TABLE_1 = (
    imagenet_row("Table 1", "resnet50", top1=76.15),
    *(
        imagenet_row("Table 1", "resnet50", (0, 1), num_graph_convs=count, top1=top1)
        for count, top1 in ((1, 77.60), (2, 77.62), (3, 77.66))
    ),
)

_TABLE_2 = tuple(
    imagenet_row("Table 2", arch, units, params=params, macs=macs, top1=top1)
    for arch, units, params, macs, top1 in (
        ("resnet50", (0, 0), 25.6, 4.0, 76.2),
        ("resnet50", (0, 3), 30.5, 5.2, 78.4),
        ("resnet50", (2, 3), 31.4, 6.0, 78.2),
        ("se-resnet50", (0, 0), 28.1, 4.0, 77.2),
        ("se-resnet50", (0, 3), 33.0, 5.2, 78.7),
        ("resnet200", (0, 0), 64.6, 15.0, 78.3),
        ("resnet200", (0, 3), 69.7, 16.2, 79.4),
        ("resnet200", (2, 3), 70.6, 16.9, 79.7),
        ("resnext101-32x4d", (0, 0), 44.3, 8.0, 78.8),
        ("resnext101-32x4d", (2, 3), 50.3, 9.9, 79.8),
        ("dpn98", (0, 0), 61.7, 11.7, 79.8),
        ("dpn98", (2, 3), 67.7, 13.6, 80.2),
        ("dpn131", (0, 0), 79.5, 16.0, 80.1),
        ("dpn131", (2, 3), 85.5, 17.9, 80.3),
    )
)

# The figure prints no numbers; where Table 2 has the network, they are its. Pooled blocks are not
# in the figure: they are the cheapest form of non-local blocks.
FIGURE_4 = "Figure 4"
_POINTS: dict[UnitType, tuple[tuple[int, int], ...]] = {
    "glore": ((1, 0), (0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)),
    "nonlocal": ((1, 0), (0, 1), (0, 3), (2, 3)),
    "nonlocal-pooled": ((1, 0), (0, 1), (0, 3), (2, 3)),
}
_PRINTED = {row.network: replace(row, table=FIGURE_4) for row in _TABLE_2}
_FIGURE_4 = tuple(
    _PRINTED.get(row.network, row)
    for row in (
        imagenet_row(FIGURE_4, "resnet50"),
        *(
            imagenet_row(FIGURE_4, "resnet50", units, unit_type=unit_type)
            for unit_type, points in _POINTS.items()
            for units in points
        ),
        imagenet_row(FIGURE_4, "se-resnet50"),
        imagenet_row(FIGURE_4, "se-resnet50", (0, 3)),
        *(imagenet_row(FIGURE_4, arch) for arch in ("resnet152", "resnet200")),
    )
)

# 3D networks on Kinetics-400, clips of 8 frames at interval 8; top-1 of one clip. No one backbone
# gives the printed MACs, but the difference between the kinds of units agrees. The plain networks
# are not in the table.
_VIDEO: tuple[tuple[int, str, dict[str, Any], float | None, float | None], ...] = (
    (50, "", {"num_units": (0, 0, 0, 0)}, None, None),
    (50, " + pooled NL (2,3)", {"unit_type": "nonlocal-pooled"}, 30.5, 67.12),
    (50, " + GloRe (2,3)", {}, 28.9, 68.02),
    (101, "", {"num_units": (0, 0, 0, 0)}, None, None),
    (101, " + pooled NL (2,3)", {"unit_type": "nonlocal-pooled"}, 56.1, 68.48),
    (101, " + GloRe (2,3)", {}, 54.5, 68.78),
)
_TABLE_5 = tuple(
    Row(
        table="Table 5",
        network=f"3D ResNet-{depth}{units}",
        build=partial(VideoResNet, depth, **options),
        input_shape=(1, 3, 8, 224, 224),
        paper_macs=macs and round(macs * 1e9),
        paper_top1=top1,
    )
    for depth, units, options, macs, top1 in _VIDEO
)

TABLES: dict[str, tuple[Row, ...]] = {
    "table1": _TABLE_1,
    "table2": _TABLE_2,
    "figure4": _FIGURE_4,
    "table5": _TABLE_5,
}
"""Rows by the name of the table on the command line."""
