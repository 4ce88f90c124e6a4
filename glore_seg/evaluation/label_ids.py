"""Files of label ids: writing predictions, and scoring against the ground truth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_scores import CityscapesScorer, label_id_table
from glore_seg.utils.image_io import read_label_map, write_png

TRAIN_IDS = "_labelTrainIds.png"
LABEL_IDS = "_labelIds.png"
INSTANCE_IDS = "_instanceIds.png"
LABEL_FORMATS = ("dataset", "train", "label")
_FIX = "prepare the labels again (data/README.md)"


def write_label_map(path: Path, labels: np.ndarray, table: np.ndarray | None = None) -> None:
    """Write class indices, (H, W), uint8, as PNG, atomically; with a table, the ids of it."""
    write_png(path, labels if table is None else table[labels])


def table_of_format(
    label_format: str, classes: Sequence[str], *, reduce_zero_label: bool
) -> np.ndarray | None:
    """The table for :func:`write_label_map` of one of ``LABEL_FORMATS``.

    ``"dataset"``: as in the dataset's files, so from 1 with ``reduce_zero_label``; ``"train"``:
    class indices; ``"label"``: label ids, a DataError if a class is none of Cityscapes.
    """
    if label_format == "label":
        return label_id_table(classes)
    shifted = label_format == "dataset" and reduce_zero_label
    return np.arange(1, len(classes) + 1, dtype=np.uint8) if shifted else None


def label_ids_path(train_ids: str | Path | None) -> Path | None:
    """The ``*_labelIds.png`` that belongs to a ``*_labelTrainIds.png``; None for other names."""
    if train_ids is None or not str(train_ids).endswith(TRAIN_IDS):
        return None
    return Path(str(train_ids).removesuffix(TRAIN_IDS) + LABEL_IDS)


def update_from_files(
    scorer: CityscapesScorer,
    prediction: np.ndarray,
    label_ids: Path,
    *,
    instances: bool | None = None,
) -> None:
    """Count predicted label ids, (H, W), uint8, against ``*_labelIds.png``.

    With ``instances``, also against ``*_instanceIds.png`` of the same folder; by default if it
    exists.

    Raises:
        DataError: A file is missing, is no image, or does not fit the prediction.
    """
    path = Path(str(label_ids).removesuffix(LABEL_IDS) + INSTANCE_IDS)
    if instances is None:
        instances = path.is_file()
    truth = read_label_map(label_ids, fix=_FIX)
    numbers = read_label_map(path, fix=f"{_FIX}, or set instances=False") if instances else None
    try:
        scorer.update(prediction, truth, numbers)
    except DataError as error:
        raise DataError(f"{label_ids}: {error}") from error
