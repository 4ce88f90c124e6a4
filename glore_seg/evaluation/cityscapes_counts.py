"""What one image adds to the counts that Cityscapes' scores are made of.

Shape legend: H, W sizes of an image; I label ids of Cityscapes, 0 to 33.
"""

from __future__ import annotations

import cv2
import numpy as np
from cityscapesscripts.helpers.labels import category2labels, id2label

from glore_seg.errors import DataError

NUM_IDS = 1 + max(id2label)
"""Label ids that an image may hold: 0 to 33."""

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
"""Mean pixels of an instance in Cityscapes, by class: the numerator of an instance's weight."""

# Instance ids up to this one are label ids: of stuff, and of groups that count for no instance.
_LAST_GROUP = 1000

# OpenCV counts in float32, which is exact up to here.
_MOST_PIXELS = 2**24


def check_images(
    prediction: np.ndarray, label_ids: np.ndarray, instance_ids: np.ndarray | None
) -> None:
    """Refuse arrays of another type or shape than images of ids have.

    Args:
        prediction: Expected (H, W) uint8.
        label_ids: Expected (H, W) uint8.
        instance_ids: Expected (H, W) uint16, or uint8 where no id is above 255; or ``None``.

    Raises:
        DataError: An array is of another type.
        DataError: The shapes differ, or an image has no pixel.
    """
    for name, array, kinds in (
        ("prediction", prediction, (np.uint8,)),
        ("label_ids", label_ids, (np.uint8,)),
        ("instance_ids", instance_ids, (np.uint8, np.uint16)),
    ):
        if array is None:
            continue
        if array.dtype not in kinds:
            raise DataError(
                f"{name} is of type {array.dtype}; expected {kinds[-1].__name__}: convert it"
            )
        if array.ndim != 2 or not array.size or array.shape != label_ids.shape:
            raise DataError(
                f"{name} has shape {array.shape}; expected (H, W) like label_ids, which has "
                f"{label_ids.shape}"
            )


def count_pixels(label_ids: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count the pixels by true and predicted label id.

    Args:
        label_ids: (H, W) uint8.
        prediction: (H, W) uint8.

    Returns:
        Rows for the truth, columns for the prediction: (I, I) int64.

    Raises:
        DataError: There is an id that Cityscapes does not have.
    """
    counts = np.zeros((256, 256), np.int64)
    rows = max(1, _MOST_PIXELS // label_ids.shape[1])
    for top in range(0, len(label_ids), rows):
        part = [np.ascontiguousarray(ids[top : top + rows]) for ids in (label_ids, prediction)]
        histogram = cv2.calcHist(part, [0, 1], None, histSize=[256, 256], ranges=[0, 256, 0, 256])
        counts += histogram.astype(np.int64)
    for name, found in (("label_ids", counts.sum(1)), ("prediction", counts.sum(0))):
        bad = NUM_IDS + np.flatnonzero(found[NUM_IDS:])
        if bad.size:
            raise DataError(
                f"{name} holds {bad[:5].tolist()}; expected label ids 0..{NUM_IDS - 1} of "
                "Cityscapes: turn train ids into label ids first"
            )
    return counts[:NUM_IDS, :NUM_IDS]


def weigh_instances(instance_ids: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Sum the right and wrong pixels of instances, weighted by average over own size.

    Args:
        instance_ids: (H, W) uint16.
        prediction: Label ids, (H, W) uint8 of 0 to 33.

    Returns:
        By true label id, (I, 4): TP and FN of its class, TP and FN of its category. Zero for labels
        that are not scored.

    Raises:
        DataError: There is an instance of a label that has none.
    """
    single = instance_ids > _LAST_GROUP
    numbers = instance_ids[single]
    instances = np.flatnonzero(np.bincount(numbers))
    labels = instances // 1000
    _check_labels(instances, labels)
    # small types, since these arrays are as long as the image
    kind = np.uint16 if len(instances) * NUM_IDS < 2**16 else np.uint32
    first = np.zeros(2**16, kind)
    first[instances] = np.arange(len(instances)) * NUM_IDS
    places = first.take(numbers) + prediction[single]
    found = np.bincount(places, minlength=len(instances) * NUM_IDS)
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


def _check_labels(instances: np.ndarray, labels: np.ndarray) -> None:
    known = [i for i, label in id2label.items() if label.hasInstances or label.ignoreInEval]
    bad = instances[~np.isin(labels, [i for i in known if i >= 0])]
    if bad.size:
        raise DataError(
            f"instance_ids hold {bad[:5].tolist()}; expected label id times 1000 plus a number "
            "for a label that has instances (24..33), a bare label id for all else"
        )
