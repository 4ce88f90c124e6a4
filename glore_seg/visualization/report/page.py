"""What a report says, and its HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan

from jinja2 import Environment, PackageLoader, StrictUndefined

from glore_seg.visualization.report.embedding import Embedded

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ClassRow:
    """One line of the class table; percentages, ``nan`` for what there is none of.

    Args:
        name: Of the class.
        color: RGB, 0 to 255.
        share: Of the labelled pixels.
        iou: IoU.
        iiou: Instance-weighted IoU.
        precision: Share of the predicted pixels that are right.
        recall: Share of the true pixels that are found.
    """

    name: str
    color: Sequence[int]
    share: float
    iou: float
    iiou: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Report:
    """The content of a page. Every text is escaped when it is rendered.

    Args:
        title: Name of the run.
        subtitle: A line under it.
        tiles: The figures to see first: label and value.
        recipe: What was trained how: name and value.
        config: The full config.
        curves: Training curves.
        classes: Lines of the class table, in the dataset's order.
        categories: Name, IoU and instance-weighted IoU of each category; may be empty.
        confusion: The confusion matrix.
        predictions: For each image input, truth, prediction, errors, with captions.
        legend: Name and RGB color of the classes that occur in the predictions.
        projections: For each image the image itself and the maps of some nodes.
        projections_note: What the section says: the unit, or that there is none.
        projection_colors: RGB of positive and of negative weights.
        speed: Name and value.
    """

    title: str
    subtitle: str
    tiles: Facts
    recipe: Facts
    config: str
    curves: Sequence[Embedded]
    classes: Sequence[ClassRow]
    categories: Sequence[tuple[str, float, float]]
    confusion: Embedded
    predictions: Sequence[Sequence[Embedded]]
    legend: Sequence[tuple[str, Sequence[int]]]
    projections: Sequence[Sequence[Embedded]]
    projections_note: str
    projection_colors: tuple[Sequence[int], Sequence[int]]
    speed: Facts
    sections: Facts = field(
        default=(
            ("configuration", "Configuration"),
            ("curves", "Curves"),
            ("classes", "Classes"),
            ("confusion", "Confusion"),
            ("predictions", "Predictions"),
            ("projections", "Projection maps"),
            ("speed", "Speed and memory"),
        ),
        init=False,
    )

    @property
    def has_instances(self) -> bool:
        """Whether any class was scored by instances."""
        return not all(isnan(row.iiou) for row in self.classes)


def render(report: Report) -> str:
    """Render a report as one HTML page with all of its images and styles inside."""
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
