"""From the classes that a network predicts to Cityscapes' label ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from cityscapesscripts.helpers.labels import name2label

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_scores import CITYSCAPES_CLASSES


def label_id_table(classes: Sequence[str]) -> np.ndarray:
    """Make the table from what a network predicts to label ids.

    Args:
        classes: Names of the network's classes, in its order, as Cityscapes names them.

    Returns:
        Shape (K,), uint8: ``table[prediction]`` are label ids.

    Raises:
        DataError: A class is none of Cityscapes' evaluated ones.
    """
    unknown = [name for name in classes if name not in CITYSCAPES_CLASSES]
    if unknown:
        raise DataError(
            f"the dataset's classes {', '.join(map(repr, unknown))} are none that Cityscapes "
            f"evaluates; expected a choice of {', '.join(CITYSCAPES_CLASSES)}: name them so in the "
            "dataset's metainfo"
        )
    return np.array([name2label[name].id for name in classes], dtype=np.uint8)
