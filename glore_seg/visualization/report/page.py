"""Content of a report and its HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from jinja2 import Environment, PackageLoader, StrictUndefined

from glore_seg.visualization.report.embedding import Embedded

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """The content of a page. All texts are escaped when it is rendered.

    Args:
        title: Name of the run.
        subtitle: Line below the title.
        tiles: The main scores: label and value.
        recipe: Settings of the training: name and value.
        config: The full config.
        curves: Training curves.
        columns: Names of the scores of the class table.
        classes: Rows of the class table: name, RGB color and scores in percent, which may be
            ``nan``. The first score is drawn as a bar.
        categories: Name, IoU and instance-weighted IoU of each category; may be empty.
        confusion: The confusion matrix.
        predictions: For each image the input, truth, prediction and errors.
        legend: Name and RGB color of the classes that occur in the predictions.
        projections: For each image the input and the maps of some nodes.
        projections_note: Text about the unit, or that there is none.
        projection_colors: RGB of positive and of negative weights.
        speed: Speed and memory: name and value.
    """

    title: str
    subtitle: str
    tiles: Facts
    recipe: Facts
    config: str
    curves: Sequence[Embedded]
    columns: Sequence[str]
    classes: Sequence[tuple[str, Sequence[int], Sequence[float]]]
    categories: Sequence[tuple[str, float, float]]
    confusion: Embedded
    predictions: Sequence[Sequence[Embedded]]
    legend: Sequence[tuple[str, Sequence[int]]]
    projections: Sequence[Sequence[Embedded]]
    projections_note: str
    projection_colors: tuple[Sequence[int], Sequence[int]]
    speed: Facts


def render(report: Report) -> str:
    """Render a report as one HTML page with embedded images and styles."""
    environment = Environment(
        loader=PackageLoader("glore_seg.visualization.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: "-" if isnan(value) else f"{value:.1f}"
    environment.filters["rgb"] = lambda color: "rgb({}, {}, {})".format(*map(int, color))
    return environment.get_template("report.html").render(report=report)
