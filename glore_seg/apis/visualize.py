"""What `tools/visualize.py` does: models and images in, one figure out."""

import heapq
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from mmengine.config import Config
from mmengine.dataset import BaseDataset

from glore_seg.apis.predictor import Predictor
from glore_seg.apis.select_images import SelectedImage, find_images, read_image
from glore_seg.apis.splits import build_image_dataset
from glore_seg.apis.tasks import require_segmentation, task_of
from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.progress import track
from glore_seg.visualization.comparison import Comparison, draw_comparison
from glore_seg.visualization.projection_statistics import MapStatistics, map_statistics
from glore_seg.visualization.projections import (
    check_nodes,
    draw_projections,
    find_unit,
    pick_nodes,
)


def compare_models(
    models: Sequence[tuple[Config, str] | tuple[Config, str, str]],
    *,
    out_file: Path,
    split: str = "val",
    wanted: Sequence[str] | None = None,
    number: int = 3,
    among: int | None = None,
    num_boxes: int = 3,
    opacity: float = 1.0,
    overwrite: bool = False,
) -> None:
    """Draw what two or more models predict side by side (Fig. 5).

    Args:
        models: Config, checkpoint and, if given, the name to print (default: that of the
            checkpoint's folder). The images come from the first one's dataset.
        out_file: Image to write.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_image_dataset`.
        wanted: Images, see :func:`find_images`. Default: those that differ most.
        number: How many images, where ``wanted`` does not say.
        among: Choose among so many, spread evenly over the split. Default: all of it.
        num_boxes: Yellow boxes an image, at most.
        opacity: Of the label maps over the image.
        overwrite: Whether ``out_file`` may be there.

    Raises:
        OutputError: ``out_file`` is there.
        ConfigError: The models have different classes or the same names, one is not of
            segmentation, or a number is below 1.
    """
    check_figure(out_file, overwrite=overwrite)
    _check_number(number)
    for cfg, *_ in models:
        require_segmentation(cfg, "compare")
    predictors = _named_predictors(models)
    first = next(iter(predictors.values()))
    cfg = models[0][0]

    def compare(image: SelectedImage) -> Comparison:
        predictions = {name: model.predict(image.path) for name, model in predictors.items()}
        return Comparison(image.image, predictions, image.label)

    if wanted:
        images = find_images(cfg, split, wanted)
        shown = [compare(p) for p in track(images, len(images), "predicting")]
    else:
        dataset = build_image_dataset(cfg, split)
        indices = spread(dataset, among if among is not None else len(dataset))
        best: list[tuple[float, int, Comparison]] = []
        for index in track(indices, len(indices), "predicting"):
            one = compare(read_image(dataset, index))
            heapq.heappush(best, (one.difference, -index, one))
            if len(best) > number:
                heapq.heappop(best)
        shown = [one for _, _, one in sorted(best, key=lambda entry: -entry[1])]
    with atomic_write(out_file) as aside:
        draw_comparison(
            shown,
            aside,
            classes=first.classes,
            palette=first.palette,
            num_boxes=num_boxes,
            opacity=opacity,
        )


def visualize_projections(
    cfg: Config,
    checkpoint: str,
    *,
    out_file: Path,
    split: str = "val",
    wanted: Sequence[str] | None = None,
    number: int = 3,
    unit: str | None = None,
    nodes: Sequence[int] | None = None,
    num_nodes: int = 4,
    colors: str = "red-green",
    overwrite: bool = False,
) -> None:
    """Draw the projection weights of a unit's nodes over images (Fig. 7).

    Args:
        cfg: Config of a network, of segmentation or classification, with GloRe units in its head,
            neck or backbone.
        checkpoint: Its weights.
        out_file: Image to write.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_image_dataset`.
        wanted: Images, see :func:`find_images`. Default: spread evenly over the split.
        number: How many images, where ``wanted`` does not say.
        unit: Name of the unit. Default: the last one.
        nodes: Nodes to show. Default: the most distinct, see :func:`pick_nodes`.
        num_nodes: How many of those.
        colors: ``"red-green"`` or ``"orange-blue"``.
        overwrite: Whether ``out_file`` may be there.

    Raises:
        OutputError: ``out_file`` is there.
        ConfigError: The network has no such unit, the unit no such node, or a number is below 1.
    """
    check_figure(out_file, overwrite=overwrite)
    predictor = Predictor(cfg, checkpoint)
    name, module = find_unit(predictor.model, unit)
    if nodes is not None:
        check_nodes(nodes, module.num_nodes)
    if wanted:
        images = find_images(cfg, split, wanted)
    else:
        dataset = build_image_dataset(cfg, split)
        images = [read_image(dataset, index) for index in spread(dataset, number)]
    weights = [
        predictor.project(image.path, module) for image in track(images, len(images), "projecting")
    ]
    chosen = nodes or pick_nodes(weights, num_nodes)
    with atomic_write(out_file) as aside:
        draw_projections(
            [predictor.displayed_image(image) for image in images],
            weights,
            aside,
            nodes=chosen,
            title=f"{name}: {len(chosen)} of {module.num_nodes} nodes",
            colors=colors,
        )


def compare_projections(
    cfg: Config,
    checkpoint: str,
    *,
    split: str = "val",
    number: int = 40,
    unit: str | None = None,
) -> MapStatistics:
    """Compare the maps of a unit's nodes with each other, and with those of mirrored images.

    Args:
        cfg: Config of a network, of segmentation or classification, with GloRe units.
        checkpoint: Its weights.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_image_dataset`.
        number: How many images, spread evenly over the split; at least 2, of one size.
        unit: Name of the unit. Default: the last one.

    Raises:
        ConfigError: The config is of video, the network has no such unit, there are fewer images,
            or they differ in size.
    """
    if task_of(cfg).name == "video":
        raise ConfigError(
            "--statistics compares images, and this is a video config; expected one of "
            "segmentation or classification: give one, or leave --statistics out"
        )
    dataset = build_image_dataset(cfg, split)
    indices = spread(dataset, number)
    predictor = Predictor(cfg, checkpoint)
    _, module = find_unit(predictor.model, unit)
    weights, mirrored = [], []
    for index in track(indices, len(indices), "comparing"):
        path = read_image(dataset, index).path
        weights.append(predictor.project(path, module))
        mirrored.append(predictor.project(path, module, mirrored=True))
    return map_statistics(weights, mirrored)


def check_free(out_file: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file that is there, unless asked to.

    Raises:
        OutputError: It is there.
    """
    if out_file.exists() and not overwrite:
        raise OutputError(f"{out_file} exists; give another name, or --overwrite to replace it")


def check_figure(out_file: Path, *, overwrite: bool) -> None:
    """Refuse a figure that could not be written, before the work for it.

    Raises:
        OutputError: It is there.
        ConfigError: Its name ends otherwise than those that matplotlib writes.
    """
    known = [f".{ending}" for ending in FigureCanvasAgg.get_supported_filetypes()]
    if out_file.suffix.lower() not in known:
        raise ConfigError(
            f"figure {out_file} ends in {out_file.suffix!r}; expected one of {', '.join(known)}"
        )
    check_free(out_file, overwrite=overwrite)


def spread(dataset: BaseDataset, number: int) -> list[int]:
    """Indices of so many images, spread evenly over a dataset; all where it has fewer.

    Raises:
        ConfigError: ``number`` is below 1.
    """
    _check_number(number)
    places = np.linspace(0, len(dataset) - 1, min(number, len(dataset)))
    return [int(place) for place in places.round()]


def _check_number(number: int) -> None:
    if number < 1:
        raise ConfigError(f"number of images is {number}; expected 1 or more")


def _named_predictors(
    models: Sequence[tuple[Config, str] | tuple[Config, str, str]],
) -> dict[str, Predictor]:
    """Each model by the name to print above it."""
    predictors: dict[str, Predictor] = {}
    for cfg, checkpoint, *label in models:
        name = label[0] if label else Path(checkpoint).resolve().parent.name
        if name in predictors:
            raise ConfigError(
                f"two models are called {name!r}; give each a name of its own: --model CONFIG "
                "CHECKPOINT NAME"
            )
        predictors[name] = Predictor(cfg, checkpoint)
    classes = {name: predictor.classes for name, predictor in predictors.items()}
    if len(set(classes.values())) > 1:
        raise ConfigError(
            "the models know different classes, so their label maps cannot be compared: "
            + "; ".join(f"{name}: {', '.join(known)}" for name, known in classes.items())
        )
    return predictors
