"""A row of a table of the paper."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Row:
    """What the paper says of a network, and how to build that.

    Args:
        table: Title of the table, such as ``"Table 2"``.
        network: Name of the network; the same name in another table is the same network.
        build: Gives the network; it is called on torch's meta device.
        input_shape: (B, C, *sizes) that MACs are counted for.
        paper_params: Parameters as printed; None where the paper prints none.
        paper_macs: MACs as printed, its FLOPs; None where it prints none.
        paper_top1: Top-1 accuracy in percent as printed.
    """

    table: str
    network: str
    build: Callable[[], nn.Module]
    input_shape: tuple[int, ...]
    paper_params: float | None = None
    paper_macs: float | None = None
    paper_top1: float | None = None
