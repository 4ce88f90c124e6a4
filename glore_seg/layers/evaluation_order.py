"""MACs of the two orders of the unit's matrix products, and which order costs less.

Shape legend: C channels, L positions, N nodes, S states (features of a node).
"""

from typing import Literal

import torch

_LARGE = 2**20

Order = Literal["auto", "coordinate", "interaction"]


def coordinate_macs(channels: int, nodes: int, states: int, length: int, *, shared: bool) -> int:
    """MACs of one sample in the paper's order, without the graph convolutions."""
    projections = nodes if shared else 2 * nodes
    return length * (channels * (2 * states + projections) + 2 * states * nodes)


def interaction_macs(
    channels: int, nodes: int, states: int, length: int, *, shared: bool, covariance: bool
) -> int:
    """The same in the interaction space; ``covariance`` adds the cost of batch statistics."""
    projections = nodes if shared else 2 * nodes
    macs = length * channels * (projections + 2 * nodes) + 2 * states * channels * nodes
    return macs + (nodes * nodes * (length + channels) if covariance else 0)


def costs_less_in_interaction_space(
    channels: int, nodes: int, states: int, length: int | None, *, shared: bool, covariance: bool
) -> bool:
    """Whether the interaction space needs no more MACs than the paper's order.

    An unknown length (None, or symbolic during export) counts as a large one.
    """
    if length is None or isinstance(length, torch.SymInt):
        length = _LARGE
    return interaction_macs(
        channels, nodes, states, length, shared=shared, covariance=covariance
    ) <= coordinate_macs(channels, nodes, states, length, shared=shared)
