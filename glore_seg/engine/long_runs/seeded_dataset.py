"""A data set that seeds each sample by its place, and names the files that cannot be read."""

import os
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import torch
from mmengine.registry import DATASETS
from PIL import Image
from torch.utils.data import Dataset, get_worker_info

from glore_seg.documented_errors import place_of, went_through_own_code
from glore_seg.engine.long_runs.placed_sampler import Place
from glore_seg.engine.long_runs.seeds import seed_everything

# What readers raise for a file that is damaged or missing; anything else is a fault of the code.
DAMAGE = (
    *(OSError, ValueError, EOFError, AssertionError, cv2.error, zlib.error, struct.error),
    *(SyntaxError, Image.DecompressionBombError),  # Pillow's, of a PNG
)
_PATHS = ("img_path", "filename", "frame_dir", "seg_map_path")
_TRIES = 10


class Damaged(NamedTuple):
    """A file that cannot be read, and what the reader says."""

    path: str
    reason: str


class Loaded(NamedTuple):
    """A sample, None where none could be read, and those that it stands for."""

    sample: Any
    damaged: tuple[Damaged, ...]


class Batch(NamedTuple):
    """A collated batch, None where a sample is missing, and the samples that were damaged."""

    data: Any
    damaged: tuple[Damaged, ...]


class SeededDataset(Dataset):
    """Loads each sample with random numbers of its own seed.

    Everything but the items is the wrapped data set's.

    Args:
        dataset: Any data set with a length, or its config.
        replace_damaged: Whether the next sample takes the place of one that cannot be read.
        num_workers: Of the loader.
    """

    def __init__(self, dataset: Any, *, replace_damaged: bool, num_workers: int) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self._replace_damaged = replace_damaged
        # Process and sample of each worker, for the one that dies.
        self._reading = torch.full((max(num_workers, 1), 2), -1).share_memory_()

    def __getitem__(self, place: Place) -> Loaded:
        worker = get_worker_info()
        row = 0 if worker is None else worker.id
        self._reading[row, 0] = os.getpid()
        damaged: list[Damaged] = []
        for turn in range(min(_TRIES, len(self))):
            index = (place + turn) % len(self)
            self._reading[row, 1] = index
            seed_everything(place.seed)
            try:
                sample = self.dataset[index]
            except DAMAGE as error:
                damaged.append(Damaged(self.path_of(index), _reason(error)))
                if not self._replace_damaged:
                    break
            else:
                self._reading[row, 1] = -1
                return Loaded(sample, tuple(damaged))
        return Loaded(None, tuple(damaged))

    def path_of(self, index: int) -> str:
        """The file of a sample, or its number where the data set doesn't tell."""
        try:
            info = self.dataset.get_data_info(index)
        except Exception:  # a data set of any kind; the number is good enough
            info = {}
        return next((str(info[key]) for key in _PATHS if info.get(key)), f"sample {index}")

    def read_by(self, pid: int) -> str | None:
        """The file that a worker is reading, None for a worker that reads none."""
        for worker, index in self._reading.tolist():
            if worker == pid and index >= 0:
                return self.path_of(index)
        return None

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name == "dataset" or name.startswith("__"):  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)


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


def _reason(error: BaseException) -> str:
    text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    # A transform of the user's may be at fault, not the file.
    return f"{text}, at {place_of(error)}" if went_through_own_code(error) else text
