"""The wrapper of a training dataset: seeds each sample and handles corrupted ones."""

import logging
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from glore_seg.engine.samplers import SeededIndex, seed_everything
from glore_seg.errors import ConfigError, CorruptedFileError

_OWN = ("dataset", "_max_corrupted_share", "_corrupted")


class PerSampleSeedDataset(Dataset):
    """Loads each sample with the seed of its position in the training.

    A sample whose file is missing or corrupted (``CorruptedFileError``) is replaced by the next one
    and reported, up to a share of the dataset. All other attributes are those of the wrapped
    dataset; setting one sets it there, as hooks that exchange the pipeline do.

    Args:
        dataset: A dataset with a length, or its config.
        max_corrupted_share: Share of the dataset, 0 to below 1, that may be replaced. 0 raises for
            the first corrupted sample.

    Raises:
        ConfigError: ``max_corrupted_share`` is out of range.
        CorruptedFileError: More samples are corrupted.
    """

    def __init__(self, dataset: Any, *, max_corrupted_share: float) -> None:
        if not 0 <= max_corrupted_share < 1:
            raise ConfigError(
                f"max_corrupted_share is {max_corrupted_share}; expected 0 to below 1"
            )
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self._max_corrupted_share = max_corrupted_share
        self._corrupted = torch.zeros(len(self), dtype=torch.bool).share_memory_()  # by all workers

    def __getitem__(self, position: SeededIndex) -> Any:
        index = int(position)
        while True:
            seed_everything(position.seed)
            try:
                return self.dataset[index]
            except CorruptedFileError as error:
                self._report(index, error)
            index = (index + 1) % len(self)

    def _report(self, index: int, error: CorruptedFileError) -> None:
        is_known = bool(self._corrupted[index])
        self._corrupted[index] = True
        count, limit = int(self._corrupted.sum()), int(self._max_corrupted_share * len(self))
        if count > limit:
            raise CorruptedFileError(
                f"{error}. {count} of {len(self)} samples are corrupted; expected at most {limit} "
                f"(train_cfg.max_corrupted_share={self._max_corrupted_share:g}): get the file "
                "again, or allow a larger share to be replaced"
            ) from error
        if not is_known:
            print_log(
                f"{error}. The next sample replaces it ({count} of at most {limit} corrupted)",
                logger="current",
                level=logging.WARNING,
            )

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        # Not __getitems__ either: it would load without seeds.
        if name in _OWN or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self.dataset, name, value)
