"""Where Cityscapes' ground truth lies beside other files, and how it is read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

TRAIN_IDS = "_labelTrainIds.png"
LABEL_IDS = "_labelIds.png"
INSTANCE_IDS = "_instanceIds.png"


def beside(path: str | Path, suffix: str, other: str) -> Path:
    """The file of another suffix beside one.

    Example:
        >>> beside("val/a_gtFine_labelTrainIds.png", TRAIN_IDS, LABEL_IDS).name
        'a_gtFine_labelIds.png'
    """
    return Path(f"{str(path).removesuffix(suffix)}{other}")


def read_ids(path: Path, *, mend: str) -> np.ndarray:
    """Read label or instance ids as they are stored, (H, W), uint8 or uint16.

    Args:
        path: The picture.
        mend: What to do where it can't be read, for the message.

    Raises:
        FileNotFoundError: It is missing.
        ValueError: It is no picture.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; expected it beside the labels: {mend}")
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"{path} cannot be read as a picture; expected a PNG: {mend}")
    return picture


def read_instances(path: Path, *, mend: str) -> np.ndarray | None:
    """Read instance ids as :func:`read_ids` does; None where there is no such file."""
    return read_ids(path, mend=mend) if path.is_file() else None
