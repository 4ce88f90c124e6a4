"""The four scores of Cityscapes' pixel-level benchmark, from counts kept image by image.

Shape legend: H, W sizes of an image; I label ids of Cityscapes, 0 to 33.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from cityscapesscripts.helpers.labels import category2labels, id2label, name2label
from prettytable import PrettyTable

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_counts import (
    NUM_IDS,
    check_arrays,
    count_label_ids,
    weigh_instances,
)
from glore_seg.evaluation.confusion import percent

CITYSCAPES_CLASSES = tuple(
    label.name for i, label in sorted(id2label.items()) if i >= 0 and not label.ignoreInEval
)
"""Names of the 19 classes that are scored, in the order of their train ids."""

State = tuple[np.ndarray, np.ndarray, np.ndarray, bool]


@dataclass(frozen=True)
class CityscapesScores:
    """All scores in percent; ``nan`` for what occurs neither in the truth nor in the prediction.

    Attributes:
        iou: By class, TP / (TP + FP + FN).
        iiou: By class with instances, iTP / (iTP + FP + iFN): pixels weighted by average over own
            size of their instance. All ``nan`` if an image had no instance ids.
        iou_category: By category.
        iiou_category: By category whose classes all have instances.
        accuracy: Share of the pixels predicted correctly, without ignored ones.
        confusion: Pixels by true (row) and predicted (column) label id, (I, I) int64, rows of
            ignored labels included.
    """

    iou: dict[str, float]
    iiou: dict[str, float]
    iou_category: dict[str, float]
    iiou_category: dict[str, float]
    accuracy: float
    confusion: np.ndarray

    def as_dict(self) -> dict[str, float]:
        """Every score by its key: averages first, then ``IoU.<class>`` and the like."""
        scores = {
            "mIoU": _mean(self.iou.values()),
            "miIoU": _mean(self.iiou.values()),
            "mIoU_category": _mean(self.iou_category.values()),
            "miIoU_category": _mean(self.iiou_category.values()),
            "aAcc": self.accuracy,
        }
        for kind, values in (
            ("IoU", self.iou),
            ("iIoU", self.iiou),
            ("IoU_category", self.iou_category),
            ("iIoU_category", self.iiou_category),
        ):
            scores.update({f"{kind}.{name}": value for name, value in values.items()})
        return scores

    def table(self) -> str:
        """The scores as text: classes, then categories, then pixel accuracy."""
        parts = [
            _table("class", self.iou, self.iiou),
            _table("category", self.iou_category, self.iiou_category),
            f"pixel accuracy {self.accuracy:.2f} %",
        ]
        return "\n".join(parts)

    def summary(self) -> str:
        """The table and a line with the four scores of the benchmark."""
        scores = self.as_dict()
        names = {"mIoU": "IoU class", "miIoU": "iIoU class"}
        names |= {"mIoU_category": "IoU category", "miIoU_category": "iIoU category"}
        line = ", ".join(f"{name} {scores[key]:.2f}" for key, name in names.items())
        return f"{self.table()}\n{line} %"


class CityscapesScorer:
    """Counts pixels and instances image by image; scores as cityscapesScripts does.

    Equal to ``evalPixelLevelSemanticLabeling`` of cityscapesScripts 2.2 on every number:

    - pixels whose true label is ignored count for nothing, whatever is predicted there;
    - an ignored id predicted on a scored pixel is a miss;
    - the instance scores take instances from ``instance_ids`` and false positives from the label
      ids; groups (instance ids below 1000) are in neither TP nor FN;
    - a license plate (-1) is not in label id images; 255 is refused.

    Args:
        classes: Names of the classes to score. The others are ignored like "dynamic". Default:
            the 19 classes of Cityscapes.

    Raises:
        DataError: ``classes`` is empty or holds a name that Cityscapes does not score.

    Example:
        >>> import numpy as np
        >>> scorer = CityscapesScorer()
        >>> truth = np.array([[7, 7, 26, 0]], np.uint8)
        >>> instances = np.array([[7, 7, 26000, 0]], np.uint16)
        >>> scorer.update(np.array([[7, 26, 26, 7]], np.uint8), truth, instances)
        >>> scorer.compute().iou["road"]
        50.0
    """

    def __init__(self, classes: Sequence[str] = CITYSCAPES_CLASSES) -> None:
        unknown = [name for name in classes if name not in CITYSCAPES_CLASSES]
        if unknown or not classes:
            raise DataError(
                f"classes hold {unknown or 'nothing'}; expected classes that Cityscapes scores: "
                f"{', '.join(CITYSCAPES_CLASSES)}"
            )
        self._ids = np.array(sorted(name2label[name].id for name in classes))
        self._confusion = np.zeros((NUM_IDS, NUM_IDS), np.int64)
        # of instances, by label id: weighted TP and FN of the class, then of its category
        self._weighted = np.zeros((NUM_IDS, 4))
        self._all_have_instances = True

    def update(
        self, prediction: np.ndarray, label_ids: np.ndarray, instance_ids: np.ndarray | None
    ) -> None:
        """Count one image.

        Args:
            prediction: Predicted label ids, (H, W), uint8.
            label_ids: True label ids, (H, W), uint8.
            instance_ids: (H, W), uint16: label id times 1000 plus a number for an instance, the
                label id for all else. ``None`` if the dataset has none; the instance scores are
                ``nan`` then.

        Raises:
            DataError: An array has another type or shape, or an id that Cityscapes does not have.
                Nothing of the image is counted then.
        """
        check_arrays(prediction, label_ids, instance_ids)
        counts = count_label_ids(label_ids, prediction)
        weighted = None if instance_ids is None else weigh_instances(instance_ids, prediction)
        self._confusion += counts
        if weighted is None:
            self._all_have_instances = False
        else:
            self._weighted += weighted

    def state(self) -> State:
        """All counts in a few kilobytes, for :meth:`add_state` in another process."""
        positions = np.flatnonzero(self._confusion).astype(np.uint16)
        return (
            positions,
            self._confusion.flat[positions],
            self._weighted[self._with_instances()],
            self._all_have_instances,
        )

    def add_state(self, state: State) -> None:
        """Add the counts from :meth:`state` of a scorer of the same classes."""
        positions, counts, weighted, have_instances = state
        self._confusion.flat[positions] += counts
        self._weighted[self._with_instances()] += weighted
        self._all_have_instances &= have_instances

    def compute(self) -> CityscapesScores:
        """Compute the scores of the images counted so far."""
        ids = self._ids
        scored = self._confusion[np.ix_(ids, ids)]
        hits = np.diagonal(scored)
        in_truth = self._confusion[ids].sum(1)
        false = scored.sum(0) - hits
        iou = dict(zip(_names(ids), _percent(hits, in_truth + false), strict=True))

        with_instances = self._with_instances()
        hit, missed = self._weighted[with_instances, :2].T
        wrong = false[np.isin(ids, with_instances)]
        iious = _percent(hit, hit + wrong + missed, known=self._all_have_instances)
        iiou = dict(zip(_names(with_instances), iious, strict=True))

        iou_category, iiou_category = {}, {}
        for category, labels in category2labels.items():
            all_ids = [label.id for label in labels if label.id >= 0]
            inside = np.intersect1d(ids, all_ids)
            if not inside.size:
                continue
            outside = np.setdiff1d(ids, all_ids)
            hits = self._confusion[np.ix_(inside, inside)].sum()
            false = self._confusion[np.ix_(outside, inside)].sum()
            union = self._confusion[inside].sum() + false
            iou_category[category] = _percent(hits, union)[0]
            if all(id2label[i].hasInstances for i in all_ids):
                hit, missed = self._weighted[inside, 2:].sum(0)
                # ignored classes of the category as well, such as a predicted caravan
                wrong = self._confusion[np.ix_(outside, all_ids)].sum()
                iiou_category[category] = _percent(
                    hit, hit + wrong + missed, known=self._all_have_instances
                )[0]
        return CityscapesScores(
            iou=iou,
            iiou=iiou,
            iou_category=iou_category,
            iiou_category=iiou_category,
            accuracy=_percent(np.trace(scored), in_truth.sum())[0],
            confusion=self._confusion.copy(),
        )

    def _with_instances(self) -> np.ndarray:
        return np.array([i for i in self._ids if id2label[i].hasInstances], np.intp)


def _names(ids: Iterable[int]) -> list[str]:
    return [id2label[i].name for i in ids]


def _percent(part: np.ndarray, total: np.ndarray, *, known: bool = True) -> list[float]:
    found = np.atleast_1d(percent(part, total))
    return (found if known else np.full(found.shape, np.nan)).tolist()


def _mean(values: Iterable[float]) -> float:
    valid = [value for value in values if not np.isnan(value)]
    return sum(valid) / len(valid) if valid else float("nan")


def _table(kind: str, iou: dict[str, float], iiou: dict[str, float]) -> str:
    columns = {"IoU %": iou}
    if not np.isnan(list(iiou.values())).all():
        columns["iIoU %"] = iiou
    table = PrettyTable([kind, *columns])
    table.align = "r"
    table.align[kind] = "l"
    for name in iou:
        cells = [f"{column[name]:.2f}" if name in column else "" for column in columns.values()]
        table.add_row([name, *cells])
    table.add_divider()
    table.add_row(["mean", *(f"{_mean(column.values()):.2f}" for column in columns.values())])
    return table.get_string()
