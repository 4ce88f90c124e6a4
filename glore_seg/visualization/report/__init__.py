"""The report of a training as one self-contained HTML page."""

from glore_seg.visualization.report.embedding import Embedded, embed_figure, embed_image
from glore_seg.visualization.report.page import Report, render

__all__ = ["Embedded", "Report", "embed_figure", "embed_image", "render"]
