"""What is cut out of images, and how."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cityscapesscripts.helpers.labels import name2label

from glore_seg.errors import DataError

OBJECT_CLASSES = (
    "bicycle",
    "bus",
    "car",
    "motorcycle",
    "person",
    "rider",
    "traffic light",
    "traffic sign",
    "train",
    "truck",
)
"""Cityscapes' countable classes and the two that are mounted on poles, by name, as folders sort."""


@dataclass(frozen=True)
class CropSettings:
    """What to cut and how.

    Args:
        classes: Names of Cityscapes' labels.
        size: Side S of a crop in pixels, 16 to 1024.
        context: Side of the window over the longer side of the object, 1 to 10: how much of the
            surroundings a crop shows. The window never exceeds the image.
        min_side: Longer side that an object must have in its image, in pixels, at least 1.
        num_train: Crops of each class to train with, at most; at least 1.
        num_val: The same to validate with.
        seed: Chooses the crops where a class has more; at least 0.

    Raises:
        DataError: A value is out of its range, or a class is unknown or given twice.
    """

    classes: tuple[str, ...] = OBJECT_CLASSES
    size: int = 96
    context: float = 2.5
    min_side: int = 16
    num_train: int = 240
    num_val: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = [name for name in self.classes if name not in name2label]
        if wrong or len(set(self.classes)) < max(2, len(self.classes)):
            raise DataError(
                f"classes are {list(self.classes)}; expected two or more of Cityscapes' label "
                f"names, each once, such as {', '.join(OBJECT_CLASSES)}"
            )
        for name, low, high in (
            ("size", 16, 1024),
            ("context", 1, 10),
            ("min_side", 1, None),
            ("num_train", 1, None),
            ("num_val", 1, None),
            ("seed", 0, None),
        ):
            value = getattr(self, name)
            if not low <= value <= (math.inf if high is None else high):  # nan is in no range
                raise DataError(
                    f"{name} is {value}; expected {low} "
                    + ("or more" if high is None else f"to {high}")
                )
