"""The ground truth files of Cityscapes, and scoring against them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.evaluation.cityscapes_scores import CityscapesScorer
from glore_seg.utils.image_io import read_label_map

TRAIN_IDS = "_labelTrainIds.png"
LABEL_IDS = "_labelIds.png"
INSTANCE_IDS = "_instanceIds.png"
_FIX = "prepare the labels again (data/README.md)"


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
    """Count one image against its files.

    Args:
        scorer: Gets the counts.
        prediction: Predicted label ids, (H, W), uint8.
        label_ids: ``*_labelIds.png``.
        instances: Whether to read ``*_instanceIds.png`` of the same folder. Default: if it exists.

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
