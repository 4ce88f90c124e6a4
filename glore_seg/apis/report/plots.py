"""Images of a report: curves, confusion matrix, predictions and projection maps."""

from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset

from glore_seg.apis.evaluation import Evaluation
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.splits import SelectedImage, read_image
from glore_seg.layers import GloReUnit
from glore_seg.visualization.classes import plot_confusion_matrix
from glore_seg.visualization.curves import read_scalars, training_curves
from glore_seg.visualization.panels import colorize, paint_errors
from glore_seg.visualization.projections import find_unit, full_color, paint_weights, pick_nodes
from glore_seg.visualization.report import Embedded, embed_figure, embed_image

_PREDICTED = 4  # images
_PROJECTED = 2
_NODES = 4


def curves(work_dir: Path) -> list[Embedded]:
    """The training curves; none if the folder has no scalars."""
    if not any(work_dir.glob("*/vis_data/scalars.json")):
        return []
    return [
        embed_figure(figure, alt=f"{title} over the iterations", caption=title)
        for title, figure in training_curves(read_scalars(work_dir)).items()
    ]


def confusion(evaluation: Evaluation) -> Embedded:
    """The confusion matrix."""
    figure = plot_confusion_matrix(evaluation.confusion, evaluation.classes)
    return embed_figure(figure, alt="confusion matrix, in percent of each true class")


def predictions(
    predictor: Predictor, evaluation: Evaluation, dataset: BaseDataset
) -> tuple[list[list[Embedded]], list[tuple[str, tuple[int, ...]]]]:
    """Images from the best to the worst predicted one, and the classes that occur in them."""
    rows: list[list[Embedded]] = []
    present: set[int] = set()
    for index in _from_best_to_worst(evaluation, _PREDICTED):
        image = read_image(dataset, index)
        assert image.label is not None  # checked by evaluate()
        prediction = predictor.predict(image.path)
        present.update(np.unique(prediction).tolist(), np.unique(image.label).tolist())
        pixels = predictor.displayed_image(image)
        painted = {
            "input": pixels,
            "ground truth": colorize(image.label, predictor.palette),
            "prediction": colorize(prediction, predictor.palette),
            f"wrong in orange, {100 * evaluation.accuracies[index]:.1f} % right": paint_errors(
                pixels, prediction, image.label
            ),
        }
        name = image.path.name
        rows.append(
            [
                embed_image(array, alt=f"{title}: {name}", caption=title, photo=title == "input")
                for title, array in painted.items()
            ]
        )
    known = range(len(predictor.classes))
    shown = sorted(present & {*known})
    legend = [(predictor.classes[i], tuple(predictor.palette[i])) for i in shown]
    return rows, [*legend, *([("ignored", (0, 0, 0))] if present - {*known} else [])]


def projections(predictor: Predictor, evaluation: Evaluation) -> tuple[str, list[list[Embedded]]]:
    """A text about the last unit, and its most distinct nodes on two images."""
    units = sum(isinstance(m, GloReUnit) for m in predictor.model.modules())
    if not units:
        return "This network has no GloRe unit.", []
    name, unit = find_unit(predictor.model)
    paths = [evaluation.paths[i] for i in _from_best_to_worst(evaluation, _PROJECTED)]
    weights = [predictor.project(path, unit) for path in paths]
    nodes = pick_nodes(weights, _NODES)
    rows = []
    for path, maps in zip(paths, weights, strict=True):
        image = predictor.displayed_image(SelectedImage(path))
        row = [embed_image(image, alt=f"input {path.name}", caption="input", photo=True)]
        for node in nodes:
            full = full_color(weights, node)
            painted = paint_weights(image, maps[node], full=full)
            alt = f"projection weights of node {node} on {path.name}"
            caption = f"node {node}, full at ±{full:#.2g}"
            row.append(embed_image(painted, alt=alt, caption=caption, photo=True))
        rows.append(row)
    which = f", the last of {units} units" if units > 1 else ""
    note = (
        f"The projection weights b of {name}{which}, with {unit.num_nodes} nodes and "
        f"{unit.num_states} states: the {len(nodes)} most distinct nodes."
    )
    return note, rows


def _from_best_to_worst(evaluation: Evaluation, number: int) -> list[int]:
    order = np.argsort(-np.array(evaluation.accuracies), kind="stable")  # nan comes last
    ranks = np.linspace(0, len(order) - 1, min(number, len(order))).round().astype(int)
    return order[ranks].tolist()
