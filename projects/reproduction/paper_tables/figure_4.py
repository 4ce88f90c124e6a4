"""Figure 4: units against non-local blocks in ResNet-50, and against deeper networks.

The figure prints no numbers; where Table 2 has the network, they are its. Pooled blocks are not in
it: they are what non-local blocks cost when they are made as cheap as they can.
"""

from collections.abc import Iterable
from dataclasses import replace

from glore_seg.layers.extra_units import UnitType
from projects.reproduction.paper_tables.counting import CountedRow
from projects.reproduction.paper_tables.imagenet import imagenet_row
from projects.reproduction.paper_tables.table_2 import ROWS as _TABLE_2

_TITLE = "Figure 4"
_POINTS: dict[UnitType, tuple[tuple[int, int], ...]] = {
    "glore": ((1, 0), (0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)),
    "nonlocal": ((1, 0), (0, 1), (0, 3), (2, 3)),
    "nonlocal-pooled": ((1, 0), (0, 1), (0, 3), (2, 3)),
}
_PRINTED = {row.network: replace(row, table=_TITLE) for row in _TABLE_2}
_DRAWN = (
    imagenet_row(_TITLE, "resnet50"),
    *(
        imagenet_row(_TITLE, "resnet50", units, unit_type=unit_type)
        for unit_type, points in _POINTS.items()
        for units in points
    ),
    imagenet_row(_TITLE, "se-resnet50"),
    imagenet_row(_TITLE, "se-resnet50", (0, 3)),
    imagenet_row(_TITLE, "resnet152"),
    imagenet_row(_TITLE, "resnet200"),
)

ROWS = tuple(_PRINTED.get(row.network, row) for row in _DRAWN)


def points(rows: Iterable[CountedRow]) -> dict[str, list[tuple[float, float, str]]]:
    """Group counted rows of this figure as it colors them.

    Args:
        rows: Counted rows; those of other tables are left out.

    Returns:
        Name of a series to (MACs in thousands of millions, parameters in millions, label).
    """
    series: dict[str, list[tuple[float, float, str]]] = {}
    for counted in rows:
        if counted.row.table != _TITLE:
            continue
        network, _, unit = counted.row.network.partition(" + ")
        kind, _, label = unit.rpartition(" ")
        if kind and network == "ResNet-50":
            name = f"ResNet-50 + {kind}"
        else:
            name, label = "plain and SE networks", counted.row.network
        series.setdefault(name, []).append((counted.macs / 1e9, counted.params / 1e6, label))
    return series
