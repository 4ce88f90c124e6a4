"""A dataset that seeds each sample by its place, and names the files that cannot be read."""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.registry import DATASETS
from torch.utils.data import Dataset, get_worker_info

from glore_seg.engine.samplers import SeededIndex
from glore_seg.engine.seeds import seed_everything
from glore_seg.errors import DataError

_TRIES = 10


class SampleFault(NamedTuple):
    """A sample that cannot be loaded: its file, and the error's text."""

    path: str
    text: str


class Loaded(NamedTuple):
    """A sample, None where none could be read, and those that it stands for."""

    sample: Any
    damaged: tuple[SampleFault, ...]


class Batch(NamedTuple):
    """A collated batch, None where a sample is missing, and the samples that were damaged."""

    data: Any
    damaged: tuple[SampleFault, ...]


class PerSampleSeedDataset(Dataset):
    """Loads each sample with random numbers of its own seed.

    Everything but the items is the wrapped dataset's.

    Args:
        dataset: Any dataset with a length, or its config.
        replace_corrupted: Whether the next sample takes the place of one that cannot be read.
        num_workers: Of the loader.
    """

    _own = frozenset({"dataset", "_replace_damaged", "_reading"})

    def __init__(self, dataset: Any, *, replace_corrupted: bool, num_workers: int) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
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
            except DataError as error:
                damaged.append(SampleFault(self.path_of(index), str(error)))
                if not self._replace_damaged:
                    break
            else:
                self._reading[row, 1] = -1
                return Loaded(sample, tuple(damaged))
        return Loaded(None, tuple(damaged))

    def __getitems__(self, places: list[Any]) -> list[Loaded]:
        return [self[place] for place in places]  # each has a seed of its own

    def path_of(self, index: int) -> str:
        """The file of a sample, or its number where the dataset doesn't tell."""
        info = self.dataset.get_data_info(index) if hasattr(self, "get_data_info") else {}
        keys = ("img_path", "filename", "frame_dir")
        return next((str(info[key]) for key in keys if key in info), f"sample {index}")

    def read_by(self, pid: int) -> str | None:
        """The file that a worker is reading, None for a worker that reads none."""
        for worker, index in self._reading.tolist():
            if worker == pid and index >= 0:
                return self.path_of(index)
        return None

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name in self._own or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            object.__setattr__(self, name, value)
        else:
            setattr(self.dataset, name, value)


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
