"""The four scores of a submission whose ground truth is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_scores import CityscapesScorer, CityscapesScores
from glore_seg.evaluation.ground_truth import (
    INSTANCE_IDS,
    LABEL_IDS,
    beside,
    read_instances,
)
from glore_seg.evaluation.submission.expected import ExpectedImages
from glore_seg.utils.image_io import read_label_map

_LABELS = f"_gtFine{LABEL_IDS}"
_MEND = "unpack gtFine_trainvaltest.zip again"


class SubmissionScorer:
    """Compares the images of a submission with the ground truth while they are checked.

    Args:
        labels: ``CITY_SEQUENCE_FRAME`` to its ``*_gtFine_labelIds.png``. The instances are taken
            from ``*_gtFine_instanceIds.png`` beside it; without one, instance scores are ``nan``.
    """

    def __init__(self, labels: dict[str, Path]) -> None:
        self._labels = labels
        self._scorer = CityscapesScorer()

    @classmethod
    def of_data_set(cls, root: str | Path, expected: ExpectedImages) -> SubmissionScorer | None:
        """Find the ground truth of a split, or return None where there is none.

        There is none of the test split: what Cityscapes ships for it only marks ignored regions.

        Raises:
            DataError: Some images have ground truth and others don't.
        """
        if expected.split == "test" or expected.sizes is None:
            return None
        folder = Path(root) / "gtFine" / expected.split
        found = {path.name.removesuffix(_LABELS): path for path in folder.rglob(f"[!.]*{_LABELS}")}
        if not found:
            return None
        missing = sorted(set(expected.sizes) - set(found))
        if missing:
            raise DataError(
                f"{len(missing)} of {expected.total} images have no *{_LABELS} in {folder} "
                f"({missing[0]} the first): {_MEND}"
            )
        return cls(found)

    def update(self, key: str, label_ids: np.ndarray) -> None:
        """Count one image.

        Args:
            key: ``CITY_SEQUENCE_FRAME``.
            label_ids: Predicted label ids, (H, W), uint8.

        Raises:
            DataError: An image of the ground truth can't be read or doesn't fit.
        """
        path = self._labels[key]
        instances = beside(path, LABEL_IDS, INSTANCE_IDS)
        try:
            self._scorer.update(
                label_ids, read_label_map(path, fix=_MEND), read_instances(instances, mend=_MEND)
            )
        except (TypeError, ValueError) as error:
            raise DataError(f"ground truth {path}: {error}") from error

    def compute(self) -> CityscapesScores:
        """Score the images so far."""
        return self._scorer.compute()

    def summary(self) -> str:
        """Return the table of classes and categories and a line with the four scores."""
        scores = self.compute()
        means = scores.as_dict()
        return (
            f"{scores.table()}\n"
            f"IoU class {means['mIoU']:.2f}, iIoU class {means['miIoU']:.2f}, "
            f"IoU category {means['mIoU_category']:.2f}, "
            f"iIoU category {means['miIoU_category']:.2f} %"
        )
