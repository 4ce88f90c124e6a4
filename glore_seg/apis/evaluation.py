"""Scores of a network on a labelled split, with what a report shows of each image.

Shape legend: H, W size of an image; K classes.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from glore_seg.apis.predictor import Predictor
from glore_seg.engine.runner import drop_worker_options
from glore_seg.errors import DataError
from glore_seg.evaluation import CITYSCAPES_CLASSES, CityscapesScorer, label_id_table
from glore_seg.evaluation.cityscapes_scores import CityscapesScores
from glore_seg.evaluation.confusion import ConfusionMatrix, count_pixels
from glore_seg.evaluation.label_ids import label_ids_path, update_from_files
from glore_seg.utils.progress import track


@dataclass(frozen=True)
class Evaluation(ConfusionMatrix):
    """The scores of a network on a split.

    ``scores`` are Cityscapes', None if the dataset has no label ids. For each image: its file, the
    share of its pixels predicted right (``nan`` if none counts), and the time of the network,
    without loading. ``input_size`` is (H, W) of the first image as the network gets it.
    """

    classes: tuple[str, ...]
    scores: CityscapesScores | None = None
    accuracies: list[float] = field(default_factory=list, repr=False)
    paths: list[Path] = field(default_factory=list, repr=False)
    milliseconds: list[float] = field(default_factory=list, repr=False)
    input_size: tuple[int, int] = (0, 0)


def evaluate(predictor: Predictor, cfg: Config, *, split: str = "val") -> Evaluation:
    """Score a network on the dataloader of a labelled split, with a progress bar.

    Raises:
        DataError: An image cannot be read or has no label.
    """
    classes = predictor.classes
    k = len(classes)
    is_cityscapes = set(classes) <= set(CITYSCAPES_CLASSES)
    scorer = CityscapesScorer(classes) if is_cityscapes else None
    confusion = np.zeros((k, k), np.int64)
    paths: list[Path] = []
    accuracies, milliseconds = [], []
    input_size = (0, 0)
    drop_worker_options(cfg[f"{split}_dataloader"])
    loader = Runner.build_dataloader(cfg[f"{split}_dataloader"])
    batches = track(loader, len(loader), f"evaluating on {split}")
    for found in predictor.run(batches):
        sample = found.sample
        if "gt_sem_seg" not in sample:
            raise DataError(
                f"{sample.img_path} has no label; expected a split whose pipeline loads labels"
            )
        truth = sample.gt_sem_seg.data.squeeze(0).cpu().numpy().astype(np.uint8)
        counts = count_pixels(truth, found.labels)[:k, :k]
        confusion += counts
        accuracies.append(ConfusionMatrix(counts).accuracy / 100)
        input_size = input_size if paths else tuple(sample.img_shape[:2])
        paths.append(Path(sample.img_path))
        milliseconds.append(found.milliseconds)
        label_ids = label_ids_path(sample.get("seg_map_path"))
        if scorer is not None and label_ids is not None and label_ids.is_file():
            update_from_files(scorer, label_id_table(classes)[found.labels], label_ids)
        else:
            scorer = None
    scores = None if scorer is None else scorer.compute()
    return Evaluation(confusion, classes, scores, accuracies, paths, milliseconds, input_size)
