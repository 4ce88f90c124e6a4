"""Count the networks of rows, and lay the counts out beside the paper's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from prettytable import PrettyTable, TableStyle

from glore_seg.apis.complexity import count_complexity
from glore_seg.utils.progress import track
from projects.reproduction.paper_tables.rows import FIGURE_4, Row

_PRINTED = 0.05  # the paper prints one digit after the point
_COLUMNS = (
    "network",
    "P, M",
    "P + run, M",
    "paper, M",
    "off by, M",
    "GMAC",
    "paper, G",
    "off by, G",
    "paper, top-1 %",
)


@dataclass(frozen=True)
class CountedRow:
    """A row and what its network here costs.

    Args:
        row: What the paper says.
        params: Trainable parameters.
        params_with_stats: Those and the running statistics of norms; the paper prints one or the
            other.
        macs: MACs.
    """

    row: Row
    params: int
    params_with_stats: int
    macs: int

    @property
    def params_difference(self) -> float:
        """How many more parameters than printed, of the nearer of both counts; 0 where equal."""
        if self.row.paper_params is None:
            return 0.0
        printed = self.row.paper_params
        counts = (self.params - printed, self.params_with_stats - printed)
        return _beyond_print(min(counts, key=abs), 1e6)

    @property
    def macs_difference(self) -> float:
        """How many more MACs than printed; 0 where equal to the printed digits."""
        if self.row.paper_macs is None:
            return 0.0
        return _beyond_print(self.macs - self.row.paper_macs, 1e9)


def count_rows(rows: Iterable[Row], *, progress: bool = True) -> list[CountedRow]:
    """Count the networks of rows, each network once.

    Args:
        rows: Of any tables.
        progress: Show a progress bar.

    Returns:
        The rows in their order.
    """
    rows = list(rows)
    networks = {(row.network, row.input_shape): row for row in rows}
    counts = {}
    for key, row in track(networks.items(), len(networks), "networks", show=progress):
        with torch.device("meta"):
            network = row.build()
        counts[key] = count_complexity(network, row.input_shape)
    counted = []
    for row in rows:
        cost = counts[row.network, row.input_shape]
        counted.append(CountedRow(row, cost.params, cost.params_with_stats, cost.macs))
    return counted


def _beyond_print(difference: float, unit: float) -> float:
    return difference if abs(difference) / unit > _PRINTED else 0.0


def as_text(rows: Iterable[CountedRow]) -> str:
    """Lay rows out as Markdown, a table for each title.

    ``P`` are trainable parameters and ``P + run`` those with running statistics; what is off by
    something is not what the paper prints, to its digits.
    """
    tables: dict[str, PrettyTable] = {}
    for counted in rows:
        row = counted.row
        if row.table not in tables:
            tables[row.table] = PrettyTable(_COLUMNS)
            tables[row.table].set_style(TableStyle.MARKDOWN)
            tables[row.table].align = "r"
            tables[row.table].align["network"] = "l"
        tables[row.table].add_row(
            [
                row.network,
                f"{counted.params / 1e6:.3f}",
                f"{counted.params_with_stats / 1e6:.3f}",
                _printed(row.paper_params, 1e6),
                _off(counted.params_difference, 1e6),
                f"{counted.macs / 1e9:.3f}",
                _printed(row.paper_macs, 1e9),
                _off(counted.macs_difference, 1e9),
                "" if row.paper_top1 is None else f"{row.paper_top1:.4g}",
            ]
        )
    return "\n\n".join(f"{title}\n\n{table.get_string()}" for title, table in tables.items())


def as_records(rows: Iterable[CountedRow]) -> list[dict[str, Any]]:
    """Rows for JSON, in single parameters and MACs."""
    return [
        {
            "table": counted.row.table,
            "network": counted.row.network,
            "params": counted.params,
            "params_with_stats": counted.params_with_stats,
            "macs": counted.macs,
            "paper_params": counted.row.paper_params,
            "paper_macs": counted.row.paper_macs,
        }
        for counted in rows
    ]


def _printed(value: float | None, unit: float) -> str:
    return "" if value is None else f"{value / unit:.1f}"


def _off(difference: float, unit: float) -> str:
    return f"{difference / unit:+.3f}" if difference else ""


def points(rows: Iterable[CountedRow]) -> dict[str, list[tuple[float, float, str]]]:
    """Group counted rows of this figure as it colors them.

    Args:
        rows: Counted rows; those of other tables are left out.

    Returns:
        Name of a series to (MACs in thousands of millions, parameters in millions, label).
    """
    series: dict[str, list[tuple[float, float, str]]] = {}
    for counted in rows:
        if counted.row.table != FIGURE_4:
            continue
        network, _, unit = counted.row.network.partition(" + ")
        kind, _, label = unit.rpartition(" ")
        if kind and network == "ResNet-50":
            name = f"ResNet-50 + {kind}"
        else:
            name, label = "plain and SE networks", counted.row.network
        series.setdefault(name, []).append((counted.macs / 1e9, counted.params / 1e6, label))
    return series
