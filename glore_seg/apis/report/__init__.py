"""What `tools/report.py` does."""

from glore_seg.apis.report.write import write_report

__all__ = ["write_report"]
