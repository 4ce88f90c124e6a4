"""The report of a training, as `tools/report.py` writes it."""

from glore_seg.apis.report.write import write_report

__all__ = ["write_report"]
