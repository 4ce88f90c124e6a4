"""A run's report as one HTML page that needs nothing from elsewhere."""

from glore_seg.visualization.report.embedding import (
    Embedded,
    embed_figure,
    embed_image,
    embed_png,
)
from glore_seg.visualization.report.page import ClassRow, Report, render

__all__ = ["ClassRow", "Embedded", "Report", "embed_figure", "embed_image", "embed_png", "render"]
