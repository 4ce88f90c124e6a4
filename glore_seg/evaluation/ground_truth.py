"""Where Cityscapes' ground truth lies beside other files, and how it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glore_seg.utils.image_io import read_label_map

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


def read_instances(path: Path, *, mend: str) -> np.ndarray | None:
    """Read instance ids as they are stored, (H, W), uint16; None where there is no such file."""
    return read_label_map(path, fix=mend) if path.is_file() else None
