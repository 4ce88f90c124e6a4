"""What `tools/report.py` does."""

from glore_seg.engine.report.writing import write_report

__all__ = ["write_report"]
