"""What one image adds to the counts behind the scores of Cityscapes.

Shape legend: H, W sizes of an image; I label ids of Cityscapes, 0 to 33.
"""

from __future__ import annotations

import numpy as np
from cityscapesscripts.helpers.labels import category2labels, id2label

from glore_seg.errors import DataError
from glore_seg.evaluation.confusion import count_pixels

NUM_IDS = 1 + max(id2label)
"""Number of label ids: 0 to 33."""

AVERAGE_SIZES = {
    "person": 3462.4756337644,
    "rider": 3930.4788056518,
    "car": 12794.0202738185,
    "truck": 27855.1264367816,
    "bus": 35732.1511111111,
    "train": 67583.7075812274,
    "motorcycle": 6298.7200839748,
    "bicycle": 4672.3249222261,
}
"""Mean number of pixels of an instance in Cityscapes, by class."""

_MAX_GROUP_ID = 1000  # instance ids up to here are label ids: of stuff and of groups
_INSTANCE_LABELS = [
    i for i, label in id2label.items() if i >= 0 and (label.hasInstances or label.ignoreInEval)
]


def check_arrays(
    prediction: np.ndarray, label_ids: np.ndarray, instance_ids: np.ndarray | None
) -> None:
    """Refuse arrays that are not images of ids of one size.

    Raises:
        DataError: A type is not uint8 (instance ids: uint8 or uint16), or shapes are not equal and
            (H, W).
    """
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


def count_label_ids(label_ids: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count the pixels by true (row) and predicted (column) label id, (I, I), int64.

    Args:
        label_ids: (H, W), uint8.
        prediction: (H, W), uint8.

    Raises:
        DataError: There is an id that Cityscapes does not have.
    """
    counts = count_pixels(label_ids, prediction)
    for name, found in (("label_ids", counts.sum(1)), ("prediction", counts.sum(0))):
        unknown = NUM_IDS + np.flatnonzero(found[NUM_IDS:])
        if unknown.size:
            raise DataError(
                f"{name} holds {unknown[:5].tolist()}; expected label ids 0..{NUM_IDS - 1} of "
                "Cityscapes: convert train ids to label ids first"
            )
    return counts[:NUM_IDS, :NUM_IDS]


def weigh_instances(instance_ids: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Sum the pixels of instances that are hit and missed, each weighted by average / own size.

    Args:
        instance_ids: (H, W), uint16.
        prediction: Label ids, (H, W), uint8, 0 to 33.

    Returns:
        By true label id, (I, 4): TP and FN of its class, TP and FN of its category. Zero for labels
        that are not scored.

    Raises:
        DataError: There is an instance of a label that has none.
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
        weight = AVERAGE_SIZES[id2label[i].name] / size
        category = [same.id for same in category2labels[id2label[i].category] if same.id >= 0]
        hit, hit_category = of_class[:, i], of_class[:, category].sum(1)
        weighted[i] = [
            (part * weight).sum() for part in (hit, size - hit, hit_category, size - hit_category)
        ]
    return weighted
