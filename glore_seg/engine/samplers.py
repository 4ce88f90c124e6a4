"""A sampler that can begin anywhere, and tells each sample where in the training it stands."""

import copy
from collections.abc import Iterator, Sized
from itertools import islice
from typing import Any

from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from glore_seg.engine.seeds import seed_of

_SAMPLES = 1  # apart from the seeds of iterations


class SeededIndex(int):
    """The index of a sample in the dataset, with the seed that its place in the training gives."""

    seed: int

    def __new__(cls, index: int, seed: int = 0) -> "SeededIndex":
        """Make an index that carries a seed."""
        place = super().__new__(cls, index)
        place.seed = seed
        return place


class ResumableSampler(Sampler[int]):
    """Draws as another sampler does, from any position on.

    The other one must draw by its seed and epoch alone, as all of mmengine's do. It is built anew
    for each pass, so that nothing is left of an earlier one. Skipping draws indices and loads
    nothing.

    Args:
        dataset: What the other sampler draws from.
        sampler: Its config.
        rank: Of this process.
        world_size: Number of processes, among which samples are dealt in turn.
        seed: Of the run, the same in all processes.
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
        self._epoch = 0
        self._skip = 0
        self._seed = seed
        self.sampler = self._build(seed)

    def start(self, *, seed: int, epoch: int, skip: int) -> None:
        """Set where the next pass begins.

        Args:
            seed: Of the run.
            epoch: Passes before it.
            skip: Samples of this process that come before in the same pass.
        """
        self._seed, self._epoch, self._skip = seed, epoch, skip

    def set_epoch(self, epoch: int) -> None:
        """Set the number of passes before the next, as mmengine's hook does."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        seed, epoch, skip = self._seed, self._epoch, self._skip
        self._skip = 0
        self.sampler = self._build(seed)
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(epoch)
        for number, index in enumerate(islice(self.sampler, skip, None), skip):
            # the same whichever process, worker and batch the sample falls to
            position = number * self._world_size + self._rank
            yield SeededIndex(index, seed_of(_SAMPLES, seed, epoch, position))

    def _build(self, seed: int) -> Any:
        default_args = {"dataset": self._dataset, "seed": seed}
        return DATA_SAMPLERS.build(copy.deepcopy(self._config), default_args=default_args)

    def __len__(self) -> int:
        return len(self.sampler)
