"""Class indices to Cityscapes' label ids, and the writer of label maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cityscapesscripts.helpers.labels import name2label

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_scores import CITYSCAPES_CLASSES
from glore_seg.utils.image_io import write_png


def label_id_table(classes: Sequence[str]) -> np.ndarray:
    """Make the table from class indices to label ids.

    Args:
        classes: Names of the network's classes, in its order, as Cityscapes names them.

    Returns:
        Shape (K,), uint8: ``table[prediction]`` are label ids.

    Raises:
        DataError: A class is not evaluated by Cityscapes.
    """
    unknown = [name for name in classes if name not in CITYSCAPES_CLASSES]
    if unknown:
        raise DataError(
            f"the dataset has the classes {', '.join(map(repr, unknown))}, which Cityscapes does "
            f"not evaluate; expected some of {', '.join(CITYSCAPES_CLASSES)}: rename them in the "
            "dataset's metainfo"
        )
    return np.array([name2label[name].id for name in classes], dtype=np.uint8)


def write_label_map(path: Path, labels: np.ndarray, table: np.ndarray | None = None) -> None:
    """Write a label map as PNG with one channel of 8 bits, atomically.

    Args:
        path: The file; its folder is created.
        labels: Class indices, (H, W), uint8.
        table: From class indices to the ids to write. Default: the indices are written.

    Raises:
        OutputError: The file cannot be written.
    """
    write_png(path, labels if table is None else table[labels])
