"""Export networks to one file with graph, weights and a contract of inputs and outputs."""

from glore_seg.export.contract import PROPERTY, Contract

__all__ = ["PROPERTY", "Contract"]
