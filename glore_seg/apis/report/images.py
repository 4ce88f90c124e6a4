"""The images of a report: curves, confusion matrix, predictions and projection maps."""

import tempfile
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from glore_seg.apis.evaluation import Evaluation
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.select_images import SelectedImage, read_image
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.visualization.confusion import plot_confusion_matrix
from glore_seg.visualization.curves import read_scalars, training_curves
from glore_seg.visualization.errors import paint_errors
from glore_seg.visualization.panels import colorize
from glore_seg.visualization.projections import (
    find_unit,
    full_color,
    paint_weights,
    pick_nodes,
)
from glore_seg.visualization.report import (
    Embedded,
    embed_figure,
    embed_image,
    embed_png,
)

_PANELS = 4
_PROJECTED = 2
_NODES = 4


def curves(work_dir: Path) -> list[Embedded]:
    """The training curves; none where the folder holds no scalars."""
    try:
        scalars = read_scalars(work_dir)
    except ConfigError:  # a work folder that got its checkpoint from elsewhere
        return []
    return [
        embed_figure(figure, alt=f"{title} over the iterations", caption=title)
        for title, figure in training_curves(scalars).items()
    ]


def confusion(evaluation: Evaluation) -> Embedded:
    """The confusion matrix."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "confusion.png"
        plot_confusion_matrix(evaluation.confusion, evaluation.classes, file)
        return embed_png(
            file.read_bytes(),
            alt="confusion matrix: share of each true class's pixels by predicted class",
        )


def predictions(
    predictor: Predictor, evaluation: Evaluation, dataset: BaseDataset
) -> tuple[list[list[Embedded]], list[tuple[str, Any]]]:
    """Images from the best to the worst predicted one, and the classes that occur in them."""
    rows: list[list[Embedded]] = []
    present: set[int] = set()
    for index in _from_best_to_worst(evaluation, _PANELS):
        image = read_image(dataset, index)
        assert image.label is not None  # evaluate() refuses images without
        prediction = predictor.predict(image.path)
        present.update(np.unique(prediction).tolist(), np.unique(image.label).tolist())
        name = image.path.name
        accuracy = evaluation.accuracies[index]
        right = "nothing is labelled" if isnan(accuracy) else f"{100 * accuracy:.1f} % right"
        painted: list[tuple[np.ndarray, str, str]] = [
            (image.image, f"input {name}", "input"),
            (colorize(image.label, predictor.palette), f"truth of {name}", "ground truth"),
            (colorize(prediction, predictor.palette), f"prediction of {name}", "prediction"),
            (
                paint_errors(image.image, prediction, image.label),
                f"wrong pixels of {name} in orange",
                f"wrong in orange, {right}",
            ),
        ]
        rows.append(
            [
                embed_image(array, alt=alt, caption=caption, photo=caption == "input")
                for array, alt, caption in painted
            ]
        )
    legend: list[tuple[str, Any]] = [
        (name, predictor.palette[i]) for i, name in enumerate(predictor.classes) if i in present
    ]
    if any(i >= len(predictor.classes) for i in present):
        legend.append(("ignored", (0, 0, 0)))
    return rows, legend


def projections(predictor: Predictor, evaluation: Evaluation) -> tuple[str, list[list[Embedded]]]:
    """What to say of the last unit, and its most distinct nodes on two images."""
    units = [m for m in predictor.model.modules() if isinstance(m, GloReUnit)]
    if not units:
        return "This network has no GloRe unit.", []
    name, unit = find_unit(predictor.model)
    paths = [evaluation.paths[i] for i in _from_best_to_worst(evaluation, _PROJECTED)]
    weights = [predictor.project(path, unit) for path in paths]
    nodes = pick_nodes(weights, _NODES)
    rows = []
    for path, maps in zip(paths, weights, strict=True):
        image = SelectedImage(path).image
        row = [embed_image(image, alt=f"input {path.name}", caption="input", photo=True)]
        for node in nodes:
            full = full_color(weights, node)
            row.append(
                embed_image(
                    paint_weights(image, maps[node], full=full),
                    alt=f"projection weights of node {node} on {path.name}",
                    caption=f"node {node}, full at ±{full:#.2g}",
                    photo=True,
                )
            )
        rows.append(row)
    which = f", the last of {len(units)} units" if len(units) > 1 else ""
    note = (
        f"The projection weights b of {name}{which}, with {unit.num_nodes} nodes and "
        f"{unit.num_states} states: the {len(nodes)} nodes that differ most."
    )
    return note, rows


def _from_best_to_worst(evaluation: Evaluation, number: int) -> list[int]:
    order = np.argsort(-np.array(evaluation.accuracies), kind="stable")  # nan comes last
    places = np.linspace(0, len(order) - 1, min(number, len(order))).round().astype(int)
    return [int(order[place]) for place in places]
