"""Check the files of a dataset before it is used: labels of wrong meaning, images left out."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log

from glore_seg.datasets.label_statistics import count_labels, find_problems
from glore_seg.datasets.left_out import describe_left_out
from glore_seg.errors import DataError


def check_files(
    dataset: Any, split: str, *, classes: Sequence[str], ignored: Sequence[int], cache: Path | None
) -> None:
    """Warn of images that a dataset leaves out and of labels that look wrong, on the first rank.

    ``split`` is ``"training"``, ``"validation"`` or ``"test"``; the others are the arguments of
    :func:`count_labels`, whose ``cache`` None here means that no labels are counted.

    Raises:
        DataError: On all ranks: a label map does not fit, or nothing can be learned in training.
    """
    failure: Exception | None = None
    message: list[str | None] = [None]
    if is_main_process():
        try:
            warnings = describe_left_out(dataset)
            if cache and classes:
                found = count_labels(dataset, classes, ignored=ignored, cache=cache)
                useless, others = find_problems(found, split) if found else (None, [])
                if useless and split == "training":
                    raise DataError(useless)
                warnings += [useless] if useless else others
            for text in warnings:
                print_log(text, logger="current", level=logging.WARNING)
        except Exception as error:  # the others wait for the answer
            failure, message = error, [str(error)]
    broadcast_object_list(message)
    if failure is not None:
        raise failure
    if message[0] is not None:
        raise DataError(message[0])
