"""Costs of the networks of many rows."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from glore_seg.apis.complexity import count_complexity
from glore_seg.utils.progress import track
from projects.reproduction.paper_tables.row import Row

_PRINTED = 0.05  # the paper prints one digit after the point


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
