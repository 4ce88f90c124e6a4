"""Cityscapes' four scores as a metric of mmengine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS

from glore_seg.errors import ConfigError, DataError
from glore_seg.evaluation.cityscapes_scores import (
    CityscapesScorer,
    CityscapesScores,
    State,
    label_id_table,
)
from glore_seg.evaluation.label_ids import (
    TRAIN_IDS,
    label_ids_path,
    update_from_files,
    write_label_map,
)


@METRICS.register_module()
class CityscapesScoreMetric(BaseMetric):
    """IoU and iIoU of classes and categories, as Cityscapes' test server computes them.

    Results, in percent: ``mIoU``, ``miIoU``, ``mIoU_category``, ``miIoU_category`` and ``aAcc``,
    then ``IoU.<class>``, ``iIoU.<class>``, ``IoU_category.<category>`` and
    ``iIoU_category.<category>``. Any of them may be the checkpoint hook's ``save_best``, with
    ``rule="greater"``. A class that neither occurs nor is predicted is ``nan`` and left out of the
    mean. See :class:`~glore_seg.evaluation.CityscapesScorer`.

    The truth is read from ``*_labelIds.png`` and ``*_instanceIds.png`` in the folder of the
    sample's ``*_labelTrainIds.png``. The dataset's classes may be any of Cityscapes' 19, in any
    order; other labels are ignored then. Each image is reduced to its counts, a few kilobytes,
    which is what distributed processes exchange.

    Args:
        instances: Whether the dataset has ``instanceIds`` images. Without them the results hold
            no iIoU.
        output_dir: Folder for the predicted label ids, one 8-bit PNG per image with the image's
            name, as the test server expects it. Default: none is written.
        format_only: Write the predictions and score nothing; the dataset needs no labels.
        collect_device: Where distributed results are collected: ``"cpu"`` or ``"gpu"``.
        collect_dir: Folder for ``collect_device="cpu"``. Default: a temporary one.
        prefix: Prefix of each key, followed by a slash. Default: none.

    Attributes:
        scores: Those of the last evaluation, with the confusion matrix; ``None`` before it and on
            all ranks but the first.

    Raises:
        ConfigError: ``format_only`` without ``output_dir``, or ``metainfo`` without classes.
        DataError: A class that Cityscapes does not score; a prediction or label that is missing or
            does not fit.
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
            raise ConfigError("format_only needs output_dir, the folder for the predictions")
        self.instances = instances
        self.output_dir = output_dir
        self.format_only = format_only
        self.scores: CityscapesScores | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write the predictions of a batch if asked to, and keep its counts.

        Samples have ``pred_sem_seg`` of class indices, ``img_path`` and, to score,
        ``seg_map_path``.
        """
        names = self._classes()
        table = label_id_table(names)
        for sample in data_samples:
            image = Path(sample["img_path"])
            classes = sample["pred_sem_seg"]["data"].squeeze(0).cpu().numpy()  # (H, W)
            if classes.max() >= len(names):
                raise DataError(
                    f"class {classes.max()} is predicted for {image}; expected indices "
                    f"0..{len(names) - 1} of the dataset's classes: set decode_head.num_classes="
                    f"{len(names)}"
                )
            prediction = table[classes]
            if self.output_dir:
                write_label_map(Path(self.output_dir) / f"{image.stem}.png", prediction)
            # mmengine warns of an evaluation without results, and loses those that are None.
            self.results.append(image.stem if self.format_only else self._count(prediction, sample))

    def compute_metrics(self, results: list[State | str]) -> dict[str, float]:
        """Sum the counts of all images, log the table, and return the scores."""
        if self.format_only:
            print_log(f"{len(results)} predictions are in {self.output_dir}", logger="current")
            return {}
        scorer = CityscapesScorer(self._classes())
        for state in results:
            assert not isinstance(state, str)
            scorer.add_state(state)
        self.scores = scorer.compute()
        print_log(f"Cityscapes scores\n{self.scores.table()}", logger="current")
        scores = self.scores.as_dict()
        return {key: value for key, value in scores.items() if self.instances or "iIoU" not in key}

    def _classes(self) -> Sequence[str]:
        classes = (self.dataset_meta or {}).get("classes")
        if not classes:
            raise ConfigError(
                f"the dataset's metainfo is {self.dataset_meta}; expected names of classes: set "
                "metainfo=dict(classes=...) in the dataset"
            )
        return classes

    def _count(self, prediction: np.ndarray, sample: dict) -> State:
        labels = label_ids_path(sample.get("seg_map_path"))
        if labels is None:
            raise DataError(
                f"seg_map_path of {sample['img_path']} is {sample.get('seg_map_path')}; expected "
                f"*{TRAIN_IDS} with label and instance ids in its folder: set the dataset's "
                "seg_map_path, or format_only=True to only write predictions"
            )
        scorer = CityscapesScorer(self._classes())
        update_from_files(scorer, prediction, labels, instances=self.instances)
        return scorer.state()
