"""A dataset that seeds each sample by its place, and names the files that cannot be read."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.utils.data import get_worker_info

from glore_seg.datasets.guarded_dataset import GuardedDataset
from glore_seg.datasets.sample_faults import SampleFault, fault_of, path_in
from glore_seg.engine.samplers import SeededIndex
from glore_seg.engine.seeds import seed_everything

_TRIES = 10


class Loaded(NamedTuple):
    """A sample, None where none could be read, and those that it stands for."""

    sample: Any
    damaged: tuple[SampleFault, ...]


class Batch(NamedTuple):
    """A collated batch, None where a sample is missing, and the samples that were damaged."""

    data: Any
    damaged: tuple[SampleFault, ...]


class PerSampleSeedDataset(GuardedDataset):
    """Loads each sample with random numbers of its own seed.

    Everything but the items is the wrapped dataset's.

    Args:
        dataset: Any dataset with a length, or its config.
        replace_corrupted: Whether the next sample takes the place of one that cannot be read.
        num_workers: Of the loader.
    """

    _own = GuardedDataset._own | {"_replace_damaged", "_reading"}

    def __init__(self, dataset: Any, *, replace_corrupted: bool, num_workers: int) -> None:
        super().__init__(dataset, part="train_dataloader")
        self._replace_damaged = replace_corrupted
        # Process and sample of each worker, for the one that dies.
        self._reading = torch.full((max(num_workers, 1), 2), -1).share_memory_()

    def __getitem__(self, place: SeededIndex) -> Loaded:
        worker = get_worker_info()
        row = 0 if worker is None else worker.id
        self._reading[row, 0] = os.getpid()
        damaged: list[SampleFault] = []
        for turn in range(min(_TRIES, len(self))):
            index = (place + turn) % len(self)
            self._reading[row, 1] = index
            seed_everything(place.seed)
            try:
                sample = self.dataset[index]
            except Exception as error:  # what damage and wrong settings lead to, see fault_of
                fault = fault_of(error, self._part, partial(self._info_of, index))
                if fault is None:
                    raise
                damaged.append(fault)
                if not (self._replace_damaged and fault.is_damage):
                    break
            else:
                self._reading[row, 1] = -1
                return Loaded(sample, tuple(damaged))
        return Loaded(None, tuple(damaged))

    def __getitems__(self, places: list[Any]) -> list[Loaded]:
        return [self[place] for place in places]  # each has a seed of its own

    def path_of(self, index: int) -> str:
        """The file of a sample, or its number where the dataset doesn't tell."""
        return path_in(self._info_of(index))

    def read_by(self, pid: int) -> str | None:
        """The file that a worker is reading, None for a worker that reads none."""
        for worker, index in self._reading.tolist():
            if worker == pid and index >= 0:
                return self.path_of(index)
        return None


class CollateLoaded:
    """Collates as another function does, and passes on what was damaged.

    Args:
        collate: The loader's own function.
    """

    def __init__(self, collate: Callable[[Sequence], Any]) -> None:
        self._collate = collate

    def __call__(self, batch: Sequence[Loaded]) -> Batch:
        """Collate the samples."""
        damaged = tuple(one for loaded in batch for one in loaded.damaged)
        samples = [loaded.sample for loaded in batch]
        if any(sample is None for sample in samples):
            return Batch(None, damaged)
        return Batch(self._collate(samples), damaged)
