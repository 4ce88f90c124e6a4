"""Networks for other runtimes: one file that holds the graph, the weights and what it expects."""

from glore_seg.export.contract import PROPERTY, Contract

__all__ = ["PROPERTY", "Contract"]
