"""The four scores of Cityscapes' pixel-level benchmark, from counts kept image by image.

Shape legend: H, W sizes of an image; I label ids of Cityscapes, 0 to 33.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling import args as _scripts
from cityscapesscripts.helpers.labels import category2labels, id2label, name2label
from prettytable import PrettyTable

from glore_seg.errors import DataError
from glore_seg.evaluation.confusion import count_pixels, describe_unseen, percent

CITYSCAPES_CLASSES = tuple(
    label.name for i, label in sorted(id2label.items()) if i >= 0 and not label.ignoreInEval
)
"""Names of the 19 classes that are scored, in the order of their train ids."""

NUM_IDS = 1 + max(id2label)
"""Number of label ids: 0 to 33."""

_AVERAGE_SIZES = _scripts.avgClassSize  # mean pixels of an instance in Cityscapes, by class
_MAX_GROUP_ID = 1000  # instance ids up to here are label ids: of stuff and of groups
_INSTANCE_LABELS = [
    i for i, label in id2label.items() if i >= 0 and (label.hasInstances or label.ignoreInEval)
]

State = tuple[np.ndarray, np.ndarray, np.ndarray]


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
        kinds = {
            "IoU": self.iou,
            "iIoU": self.iiou,
            "IoU_category": self.iou_category,
            "iIoU_category": self.iiou_category,
        }
        scores = {f"m{kind}": _mean(values.values()) for kind, values in kinds.items()}
        scores["aAcc"] = self.accuracy
        for kind, values in kinds.items():
            scores.update({f"{kind}.{name}": value for name, value in values.items()})
        return scores

    def table(self) -> str:
        """The scores as text: classes, categories, pixel accuracy, and unseen classes."""
        tables = (
            _table("class", self.iou, self.iiou),
            _table("category", self.iou_category, self.iiou_category),
        )
        pixels = [self.confusion[name2label[name].id].sum() for name in self.iou]
        unseen = [text] if (text := describe_unseen([*self.iou], pixels)) else []
        return "\n".join([*tables, f"pixel accuracy {self.accuracy:.2f} %", *unseen])

    def summary(self) -> str:
        """The table and a line with the four scores of the benchmark."""
        scores = self.as_dict()
        names = ("IoU class", "iIoU class", "IoU category", "iIoU category")
        keys = ("mIoU", "miIoU", "mIoU_category", "miIoU_category")
        pairs = zip(names, keys, strict=True)
        return f"{self.table()}\n" + ", ".join(f"{n} {scores[key]:.2f}" for n, key in pairs) + " %"


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
        self._ids = np.sort(label_id_table(classes)).astype(np.intp)
        self._confusion = np.zeros((NUM_IDS, NUM_IDS), np.int64)
        # of instances, by label id: weighted TP and FN of the class, then of its category;
        # nan as soon as an image has no instance ids
        self._weighted = np.zeros((NUM_IDS, 4))

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
        _check_arrays(prediction, label_ids, instance_ids)
        counts = _count_label_ids(label_ids, prediction)
        self._weighted += (
            np.nan if instance_ids is None else _weigh_instances(instance_ids, prediction)
        )
        self._confusion += counts

    def state(self) -> State:
        """All counts in a few kilobytes, for :meth:`add_state` in another process."""
        positions = np.flatnonzero(self._confusion).astype(np.uint16)
        weighted = self._weighted[self._with_instances()]
        return positions, self._confusion.flat[positions], weighted

    def add_state(self, state: State) -> None:
        """Add the counts from :meth:`state` of a scorer of the same classes."""
        positions, counts, weighted = state
        self._confusion.flat[positions] += counts
        self._weighted[self._with_instances()] += weighted

    def compute(self) -> CityscapesScores:
        """Compute the scores of the images counted so far."""
        ids, with_instances = self._ids, self._with_instances()
        scored, in_truth = self._confusion[np.ix_(ids, ids)], self._confusion[ids].sum(1)
        hits = np.diagonal(scored)
        false = scored.sum(0) - hits
        weighted_hits, weighted_misses = self._weighted[with_instances, :2].T
        weighted_union = weighted_hits + false[np.isin(ids, with_instances)] + weighted_misses

        iou_category, iiou_category = {}, {}
        for category, labels in category2labels.items():
            all_ids = [label.id for label in labels if label.id >= 0]
            inside, outside = np.intersect1d(ids, all_ids), np.setdiff1d(ids, all_ids)
            if not inside.size:
                continue
            hit = self._confusion[np.ix_(inside, inside)].sum()
            union = self._confusion[inside].sum() + self._confusion[np.ix_(outside, inside)].sum()
            iou_category[category] = float(percent(hit, union))
            if all(id2label[i].hasInstances for i in all_ids):
                hit, missed = self._weighted[inside, 2:].sum(0)
                # ignored classes of the category as well, such as a predicted caravan
                wrong = self._confusion[np.ix_(outside, all_ids)].sum()
                iiou_category[category] = float(percent(hit, hit + wrong + missed))
        return CityscapesScores(
            iou=_by_name(ids, percent(hits, in_truth + false)),
            iiou=_by_name(with_instances, percent(weighted_hits, weighted_union)),
            iou_category=iou_category,
            iiou_category=iiou_category,
            accuracy=float(percent(np.trace(scored), in_truth.sum())),
            confusion=self._confusion.copy(),
        )

    def _with_instances(self) -> np.ndarray:
        return np.array([i for i in self._ids if id2label[i].hasInstances], np.intp)


def label_id_table(classes: Sequence[str]) -> np.ndarray:
    """Return the label ids of K classes, (K,), uint8: ``table[indices]`` are label ids.

    Raises:
        DataError: There are none, or there is a class that Cityscapes does not score.
    """
    unknown = [name for name in classes if name not in CITYSCAPES_CLASSES]
    if unknown or not classes:
        raise DataError(
            f"classes hold {unknown or 'nothing'}; expected classes that Cityscapes scores, "
            f"{', '.join(CITYSCAPES_CLASSES)}: rename these, or use IoUMetric for "
            "other classes"
        )
    return np.array([name2label[name].id for name in classes], np.uint8)


def _by_name(ids: Iterable[int], values: np.ndarray) -> dict[str, float]:
    return dict(zip((id2label[i].name for i in ids), values.tolist(), strict=True))


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


def _check_arrays(
    prediction: np.ndarray, label_ids: np.ndarray, instance_ids: np.ndarray | None
) -> None:
    """Reject arrays that are not images of ids of one size."""
    for name, array, types in (
        ("prediction", prediction, (np.uint8,)),
        ("label_ids", label_ids, (np.uint8,)),
        ("instance_ids", instance_ids, (np.uint8, np.uint16)),
    ):
        if array is None:
            continue
        if array.dtype not in types or array.shape != label_ids.shape or array.ndim != 2:
            raise DataError(
                f"{name} is {array.dtype} of shape {array.shape}; expected {types[-1].__name__} of "
                f"shape (H, W) as label_ids, {label_ids.shape}"
            )


def _count_label_ids(label_ids: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count the pixels by true (row) and predicted (column) label id, (I, I), int64."""
    counts = count_pixels(label_ids, prediction)
    for name, found in (("label_ids", counts.sum(1)), ("prediction", counts.sum(0))):
        unknown = NUM_IDS + np.flatnonzero(found[NUM_IDS:])
        if unknown.size:
            raise DataError(
                f"{name} holds {unknown[:5].tolist()}; expected label ids 0..{NUM_IDS - 1} of "
                "Cityscapes: convert train ids to label ids first"
            )
    return counts[:NUM_IDS, :NUM_IDS]


def _weigh_instances(instance_ids: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Sum the pixels of instances that are hit and missed, each weighted by average / own size.

    Returns:
        By true label id, (I, 4): TP and FN of its class, TP and FN of its category. Zero for labels
        that are not scored.
    """
    single = instance_ids > _MAX_GROUP_ID
    numbers = instance_ids[single]
    instances = np.flatnonzero(np.bincount(numbers))
    labels = instances // 1000
    wrong = instances[~np.isin(labels, _INSTANCE_LABELS)]
    if wrong.size:
        raise DataError(
            f"instance_ids hold {wrong[:5].tolist()}; expected label id times 1000 plus a number "
            "for a label that has instances (24..33), the label id for all else"
        )
    # Small types, since these arrays are as long as the image.
    dtype = np.uint16 if len(instances) * NUM_IDS < 2**16 else np.uint32
    first = np.zeros(2**16, dtype)
    first[instances] = np.arange(len(instances)) * NUM_IDS
    positions = first.take(numbers) + prediction[single]
    found = np.bincount(positions, minlength=len(instances) * NUM_IDS)
    found = found.reshape(-1, NUM_IDS)  # (instances, I)

    weighted = np.zeros((NUM_IDS, 4))
    for i in np.unique(labels):
        if id2label[i].ignoreInEval:
            continue
        of_class = found[labels == i]
        size = of_class.sum(1)
        weight = _AVERAGE_SIZES[id2label[i].name] / size
        category = [same.id for same in category2labels[id2label[i].category] if same.id >= 0]
        hit, hit_category = of_class[:, i], of_class[:, category].sum(1)
        weighted[i] = [
            (part * weight).sum() for part in (hit, size - hit, hit_category, size - hit_category)
        ]
    return weighted
