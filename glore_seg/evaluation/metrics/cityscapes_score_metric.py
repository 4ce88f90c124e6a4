"""Cityscapes' four scores as a metric of mmengine, without an image between."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS
from torch import Tensor

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_scores import CityscapesScorer, CityscapesScores, State
from glore_seg.evaluation.ground_truth import (
    INSTANCE_IDS,
    LABEL_IDS,
    TRAIN_IDS,
    beside,
)
from glore_seg.evaluation.label_ids import label_id_table
from glore_seg.utils.image_io import read_label_map, write_png

_MEND = "prepare the labels again (data/README.md)"


@METRICS.register_module()
class CityscapesScoreMetric(BaseMetric):
    """IoU and iIoU of classes and categories, as the test server of Cityscapes computes them.

    Results, in percent: ``mIoU``, ``miIoU``, ``mIoU_category``, ``miIoU_category`` and ``aAcc``,
    then ``IoU.<class>``, ``iIoU.<class>``, ``IoU_category.<category>`` and
    ``iIoU_category.<category>``. Any of them may be the checkpoint hook's ``save_best``, with
    ``rule="greater"``. A class that neither occurs nor is predicted is ``nan`` and left out of its
    average. See :class:`~glore_seg.evaluation.CityscapesScorer`.

    The truth is read from ``*_labelIds.png`` and ``*_instanceIds.png`` beside the sample's
    ``*_labelTrainIds.png``. The dataset's classes may be any of Cityscapes' 19, in any order; the
    rest of its labels are ignored then. Each image is reduced to its counts at once, a few
    kilobytes, and these are what processes send each other.

    Args:
        instances: Whether the dataset has ``instanceIds`` images. Without them the results hold
            no iIoU.
        output_dir: Folder for the predicted label ids, one 8-bit PNG an image under the image's
            own name, as the test server wants it. Default: none is written.
        format_only: Write the predictions and score nothing; the dataset needs no labels.
        collect_device: Where results of several processes meet: ``"cpu"`` or ``"gpu"``.
        collect_dir: Folder for those of ``"cpu"``. Default: a temporary one.
        prefix: What stands before each key, with a slash. Default: nothing.

    Attributes:
        scores: Those of the last evaluation, with the confusion matrix; ``None`` before it and in
            all processes but the first.

    Raises:
        DataError: ``format_only`` without ``output_dir``; later, a class that Cityscapes does not
            score, or a prediction, label or instance image that does not fit.
        DataError: A label or instance image is missing.
    """

    def __init__(
        self,
        *,
        instances: bool = True,
        output_dir: str | None = None,
        format_only: bool = False,
        collect_device: str = "cpu",
        collect_dir: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if format_only and not output_dir:
            raise DataError(
                "format_only is set without output_dir; expected a folder for the predictions: set "
                "output_dir"
            )
        self.instances = instances
        self.output_dir = output_dir
        self.format_only = format_only
        self.scores: CityscapesScores | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write what is to be written of a batch, and keep its counts.

        Args:
            data_batch: Not used.
            data_samples: With ``pred_sem_seg`` of class indices, ``img_path`` and, for scoring,
                ``seg_map_path``.
        """
        for sample in data_samples:
            image = Path(sample["img_path"])
            prediction = self._label_ids(sample["pred_sem_seg"]["data"], image)
            if self.output_dir:
                write_png(Path(self.output_dir) / f"{image.stem}.png", prediction)
            # mmengine complains about an evaluation without results, and loses those that are None
            self.results.append(image.stem if self.format_only else self._count(prediction, sample))

    def compute_metrics(self, results: list[State | str]) -> dict[str, float]:
        """Add the counts of all images up, log the table, and return the scores.

        Args:
            results: Of each image of the dataset, in any order.
        """
        if self.format_only:
            print_log(f"{len(results)} predictions are in {self.output_dir}", logger="current")
            return {}
        scorer = self._scorer()
        for state in results:
            assert not isinstance(state, str)
            scorer.add_state(state)
        self.scores = scorer.compute()
        print_log(f"scores as of Cityscapes\n{self.scores.table()}", logger="current")
        scores = self.scores.as_dict()
        return {key: value for key, value in scores.items() if self.instances or "iIoU" not in key}

    def _classes(self) -> Sequence[str]:
        classes = (self.dataset_meta or {}).get("classes")
        if not classes:
            raise DataError(
                f"the dataset's metainfo is {self.dataset_meta}; expected the names of its "
                "classes: score a CheckedCityscapesDataset, or set metainfo=dict(classes=...)"
            )
        return classes

    def _scorer(self) -> CityscapesScorer:
        return CityscapesScorer(self._classes())

    def _label_ids(self, prediction: Tensor, image: Path) -> np.ndarray:
        """Label ids (H, W) uint8 of class indices (1, H, W)."""
        classes = self._classes()
        if int(prediction.max()) >= len(classes):
            raise DataError(
                f"class {int(prediction.max())} is predicted for {image}; expected indices "
                f"0..{len(classes) - 1} of the dataset's classes: set decode_head.num_classes="
                f"{len(classes)}"
            )
        return label_id_table(classes)[prediction.squeeze(0).cpu().numpy()]

    def _count(self, prediction: np.ndarray, sample: dict) -> State:
        path = str(sample.get("seg_map_path"))
        if not path.endswith(TRAIN_IDS):
            raise DataError(
                f"seg_map_path of {sample['img_path']} is {path}; expected *{TRAIN_IDS}, beside "
                "which label and instance ids lie: give the dataset its labels, or set "
                "format_only=True to write predictions alone"
            )
        scorer = self._scorer()
        labels = beside(path, TRAIN_IDS, LABEL_IDS)
        instances = None
        if self.instances:
            mend = f"{_MEND}, or set instances=False in the evaluator to go without"
            instances = read_label_map(beside(path, TRAIN_IDS, INSTANCE_IDS), fix=mend)
        try:
            scorer.update(prediction, read_label_map(labels, fix=_MEND), instances)
        except (TypeError, ValueError) as error:
            raise DataError(f"{labels}: {error}") from error
        return scorer.state()
