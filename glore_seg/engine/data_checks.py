"""Labels of the first samples, as the network gets them: wrong classes would train silently."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from glore_seg.errors import DataError

_SAMPLES = 4  # wrong labels are wrong in all images as a rule


def check_labels(dataset: Any, head: nn.Module | None) -> None:
    """Check the classes in a segmentation dataset's first samples, after its pipeline.

    Random numbers are as before. Corrupted samples are left to the data loader, and samples
    without ``gt_sem_seg`` are passed over.

    Args:
        dataset: The dataset.
        head: The segmentation head, with ``num_classes`` and ``ignore_index``.

    Raises:
        DataError: The dataset is empty, or a label has other values than the head's classes.
    """
    num_classes, ignored = (getattr(head, name, None) for name in ("num_classes", "ignore_index"))
    if num_classes is None or dataset is None or isinstance(dataset, IterableDataset):
        return
    if len(dataset) == 0:
        raise DataError(
            f"{type(dataset).__name__} has no samples; expected at least one: correct data_root, "
            "data_prefix, img_suffix or ann_file in the config"
        )
    known = {*range(max(num_classes, 2)), ignored, getattr(dataset, "ignore_index", ignored)}
    for sample in _first_samples(dataset):
        label: Tensor = sample.gt_sem_seg.data
        path = sample.get("seg_map_path") or sample.get("img_path")
        if label.dim() != 3 or label.shape[0] != 1:
            raise DataError(
                f"{path} gives a label of shape {tuple(label.shape)}; expected one channel of "
                "class indices, not a color mask: correct seg_map_suffix"
            )
        wrong = [value for value in label.unique().tolist() if value not in known]
        if wrong:
            raise DataError(
                f"{path} gives the classes {wrong[:8]}; expected 0 to {num_classes - 1} and "
                f"{ignored} for ignored pixels: correct num_classes or seg_map_suffix (label ids "
                "are no train ids, see tools/dataset_converters/cityscapes.py), or label_map and "
                "reduce_zero_label of the dataset"
            )


def _first_samples(dataset: Any) -> Iterator[Any]:
    for index in range(min(_SAMPLES, len(dataset))):
        try:
            with _same_random_numbers():
                packed = dataset[index]
        except DataError:  # the loader names it, or replaces it
            continue
        samples = packed.get("data_samples") if isinstance(packed, dict) else None
        sample = samples[0] if isinstance(samples, list) and samples else samples  # mmcv's TTA
        if hasattr(sample, "gt_sem_seg"):
            yield sample


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])
