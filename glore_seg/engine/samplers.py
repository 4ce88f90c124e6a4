"""A sampler that starts at any position and gives each sample the seed of its position."""

import copy
import random
from collections.abc import Iterator, Sized
from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

_SAMPLES = 1  # the loops derive other seeds with 2 and 3
_WORD = 0xFFFFFFFF


def derive_seed(*numbers: int) -> int:
    """Mix integers, 0 or more, into a seed of 63 bits; similar numbers give unrelated seeds."""
    low, high = np.random.SeedSequence(numbers).generate_state(2)
    return (int(high) << 32 | int(low)) >> 1


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch, on all devices."""
    random.seed(seed)
    np.random.seed([seed & _WORD, seed >> 32])
    torch.manual_seed(seed)


class SeededIndex(int):
    """The index of a sample in the dataset, with the seed of its position in the training."""

    seed: int

    def __new__(cls, index: int, seed: int = 0) -> "SeededIndex":
        """Create an index that carries a seed."""
        seeded = super().__new__(cls, index)
        seeded.seed = seed
        return seeded


class ResumableSampler(Sampler[int]):
    """Draws the indices of another sampler, from any position on.

    The other sampler must depend on its seed and epoch only, as all of mmengine's do. It is built
    anew for each pass, since some keep their position. Skipped indices are drawn, but not loaded.

    Args:
        dataset: What the other sampler draws from.
        sampler: Config of the other sampler, which deals indices to the processes in turn.
        rank: Rank of this process.
        world_size: Number of processes.
        seed: Seed of the run, the same in all processes.
    """

    def __init__(
        self,
        dataset: Sized,
        sampler: dict[str, Any],
        *,
        rank: int,
        world_size: int,
        seed: int,
    ) -> None:
        self._dataset = dataset
        self._config = sampler
        self._rank = rank
        self._world_size = world_size
        self._seed = seed
        self._epoch = 0
        self._skip = 0
        self.sampler = self._build()

    def start(self, *, seed: int, epoch: int, skip: int) -> None:
        """Set the run's seed, the number of the next pass, and samples of this process to skip."""
        self._seed, self._epoch, self._skip = seed, epoch, skip

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the next pass, as mmengine's hook does."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        seed, epoch, skip = self._seed, self._epoch, self._skip
        self._skip = 0
        self.sampler = self._build()
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(epoch)
        for number, index in enumerate(islice(self.sampler, skip, None), skip):
            # independent of the number of workers and of the batch size
            position = number * self._world_size + self._rank
            yield SeededIndex(index, derive_seed(_SAMPLES, seed, epoch, position))

    def _build(self) -> Any:
        default_args = {"dataset": self._dataset, "seed": self._seed}
        return DATA_SAMPLERS.build(copy.deepcopy(self._config), default_args=default_args)

    def __len__(self) -> int:
        return len(self.sampler)
