"""Networks for other runtimes: one file that holds the graph, the weights and what it expects."""

from glore_seg.export.contract import PROPERTY, Contract
from glore_seg.export.exporting import FORMATS, Exported, export_model

__all__ = ["FORMATS", "PROPERTY", "Contract", "Exported", "export_model"]
