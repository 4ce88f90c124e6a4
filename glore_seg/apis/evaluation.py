"""A network over a labelled split, with what a report shows of it.

Shape legend: H, W sizes of an image; K classes.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from glore_seg.apis.predictor import Predictor
from glore_seg.errors import ConfigError
from glore_seg.evaluation.cityscapes_scores import (
    CITYSCAPES_CLASSES,
    CityscapesScorer,
    CityscapesScores,
)
from glore_seg.evaluation.ground_truth import (
    INSTANCE_IDS,
    LABEL_IDS,
    TRAIN_IDS,
    beside,
    read_instances,
)
from glore_seg.evaluation.label_ids import label_id_table
from glore_seg.utils.image_io import read_label_map
from glore_seg.utils.progress import track

_MEND = "make it again"


@dataclass(frozen=True)
class Evaluation:
    """What a network scores on a split.

    Args:
        classes: Names of the K classes.
        confusion: Pixels by true (row) and predicted (column) class, (K, K), int64; ignored
            pixels are left out.
        scores: Cityscapes' own scores, where the dataset has its label ids.
        accuracies: For each image the share of its pixels that are right, 0 to 1; ``nan``
            where all are ignored.
        paths: Their files, in the order of the dataset.
        milliseconds: For each image the time of the network alone, without reading.
        input_size: Height and width of the first image as the network gets it.
    """

    classes: tuple[str, ...]
    confusion: np.ndarray
    scores: CityscapesScores | None
    accuracies: list[float] = field(repr=False)
    paths: list[Path] = field(repr=False)
    milliseconds: list[float] = field(repr=False)
    input_size: tuple[int, int]

    @property
    def iou(self) -> np.ndarray:
        """IoU of each class in percent, (K,); ``nan`` for what neither occurs nor is predicted."""
        right = self.confusion.diagonal()
        union = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - right
        return _percent(right, union)

    @property
    def recall(self) -> np.ndarray:
        """Share of each class's pixels that are found, in percent, (K,)."""
        return _percent(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def precision(self) -> np.ndarray:
        """Share of each class's predicted pixels that are right, in percent, (K,)."""
        return _percent(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def share(self) -> np.ndarray:
        """Share of the labelled pixels that are of each class, in percent, (K,)."""
        return _percent(self.confusion.sum(axis=1), self.confusion.sum())

    @property
    def mean_iou(self) -> float:
        """Mean IoU in percent over the classes that have one."""
        known = self.iou[~np.isnan(self.iou)]
        return float(known.mean()) if known.size else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of the labelled pixels that are right, in percent."""
        return float(_percent(self.confusion.trace(), self.confusion.sum()))


def evaluate(predictor: Predictor, cfg: Config, *, split: str = "val") -> Evaluation:
    """Run a network over a labelled split and score it, under a progress bar.

    Args:
        predictor: The network.
        cfg: Config whose dataloader of the split gives the images.
        split: ``"val"`` or ``"test"``.

    Raises:
        ConfigError: An image is damaged or comes without label.
    """
    classes = predictor.classes
    known = set(classes) <= set(CITYSCAPES_CLASSES)
    scorer = CityscapesScorer(classes) if known else None
    ids = label_id_table(classes) if known else np.zeros(0, np.uint8)
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    loader = Runner.build_dataloader(cfg[f"{split}_dataloader"])
    paths, accuracies, milliseconds = [], [], []
    input_size: tuple[int, int] | None = None
    for batch in track(loader, len(loader), f"evaluating on {split}"):
        input_size = input_size or tuple(batch["inputs"][0].shape[-2:])
        start = time.perf_counter()
        with torch.no_grad():
            samples = predictor.model.test_step(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        milliseconds.append(1000 * (time.perf_counter() - start) / len(samples))
        for sample in samples:
            if "gt_sem_seg" not in sample:
                raise ConfigError(
                    f"{sample.img_path} comes without label; expected a labelled split: give one "
                    "whose pipeline loads labels"
                )
            prediction, truth = (
                part.data.squeeze(0).cpu().numpy().astype(np.uint8)
                for part in (sample.pred_sem_seg, sample.gt_sem_seg)
            )
            counts = count_classes(prediction, truth, len(classes))
            confusion += counts
            accuracies.append(float(_percent(counts.trace(), counts.sum())) / 100)
            paths.append(Path(sample.img_path))
            if scorer and not _update(scorer, ids[prediction], sample.get("seg_map_path")):
                scorer = None
    return Evaluation(
        classes,
        confusion,
        scorer.compute() if scorer else None,
        accuracies,
        paths,
        milliseconds,
        input_size or (0, 0),
    )


def count_classes(prediction: np.ndarray, truth: np.ndarray, num_classes: int) -> np.ndarray:
    """Count pixels by true (row) and predicted (column) class, (K, K).

    Args:
        prediction: (H, W) of class indices.
        truth: The same; indices beyond the classes are ignored.
        num_classes: K.
    """
    counted = truth < num_classes
    pairs = truth[counted].astype(np.int64) * num_classes + prediction[counted]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def _update(scorer: CityscapesScorer, prediction: np.ndarray, seg_map: str | None) -> bool:
    """Score one image against its label ids; False where it has none."""
    if not seg_map or not seg_map.endswith(TRAIN_IDS):
        return False
    labels = beside(seg_map, TRAIN_IDS, LABEL_IDS)
    if not labels.is_file():
        return False
    instances = read_instances(beside(seg_map, TRAIN_IDS, INSTANCE_IDS), mend=_MEND)
    scorer.update(prediction, read_label_map(labels, fix=_MEND), instances)
    return True


def _percent(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * np.asarray(part, np.float64) / np.asarray(whole, np.float64)
