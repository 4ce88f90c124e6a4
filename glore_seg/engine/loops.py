"""mmengine's training loops, which stop when asked and go on bit for bit."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmengine.runner.utils import calc_dynamic_intervals

from glore_seg.engine.resumable import Resumable


@LOOPS.register_module()
class ResumableIterLoop(Resumable, IterBasedTrainLoop):
    """mmengine's ``IterBasedTrainLoop`` that survives stops, damaged files and wild losses.

    Args:
        runner: The runner.
        dataloader: Its config.
        max_iters: Iterations in all.
        val_begin: As for mmengine's loop.
        val_interval: As for mmengine's loop.
        dynamic_intervals: As for mmengine's loop.
        grace_s: Seconds from SIGTERM, SIGINT or SIGUSR1 until the process ends even unsaved.
        nonfinite_loss: ``"stop"`` or ``"skip"``, see
            :class:`glore_seg.engine.nonfinite_loss.NonFiniteLossCheck`.
        max_corrupted_share: Share of the dataset, 0 to below 1, that may be damaged and is
            replaced; 0 stops at the first file.

    Raises:
        ValueError: An option is out of its range.
        TrainingStopped: A signal came; the state is saved.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        max_iters: int,
        val_begin: int = 1,
        val_interval: int = 1000,
        dynamic_intervals: list[tuple[int, int]] | None = None,
        *,
        grace_s: float = 60.0,
        nonfinite_loss: str = "stop",
        max_corrupted_share: float = 0.0,
    ) -> None:
        # not the parent's: it starts loading at once, before anybody knows where to begin
        self._set_up(
            runner,
            dataloader,
            grace_s=grace_s,
            nonfinite_loss=nonfinite_loss,
            max_corrupted_share=max_corrupted_share,
        )
        # The parent's loader draws this much here: a seed goes on to give the same first weights.
        torch.empty((), dtype=torch.int64).random_()
        self._max_iters = int(max_iters)
        self._max_epochs = 1
        self._epoch = 0
        self._iter = 0
        self.val_begin = val_begin
        self.val_interval = val_interval
        self.stop_training = False
        self.dynamic_milestones, self.dynamic_intervals = calc_dynamic_intervals(
            val_interval, dynamic_intervals
        )

    def run(self) -> Any:
        """Train."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        with self._running():
            self._decide_current_val_interval()
            self._validate_if_left()
            batches = self._all_batches()
            while self._iter < self._max_iters and not self.stop_training:
                self.runner.model.train()
                batch = next(batches)
                self._prepare(batch)
                self.run_iter(batch)
                self._stop_if_asked(validated=not self._is_due())
                self._decide_current_val_interval()
                if self._is_due():
                    self._validate()
                    self._stop_if_asked(validated=True)
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def _all_batches(self) -> Iterator[Any]:
        if isinstance(self.dataloader.sampler.sampler, InfiniteSampler):
            yield from self._batches(0, self._iter)
        epoch, skip = divmod(self._iter, len(self.dataloader))
        while True:
            yield from self._batches(epoch, skip)
            epoch, skip = epoch + 1, 0

    def _is_due(self) -> bool:
        return (
            self.runner.val_loop is not None
            and self._iter >= self.val_begin
            and (self._iter % self.val_interval == 0 or self._iter == self._max_iters)
        )


@LOOPS.register_module()
class ResumableEpochLoop(Resumable, EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop`` that survives stops, damaged files and wild losses.

    Args:
        runner: The runner.
        dataloader: Its config.
        max_epochs: Epochs in all.
        val_begin: As for mmengine's loop.
        val_interval: As for mmengine's loop.
        dynamic_intervals: As for mmengine's loop.
        grace_s: As for :class:`ResumableIterLoop`.
        nonfinite_loss: As for :class:`ResumableIterLoop`.
        max_corrupted_share: As for :class:`ResumableIterLoop`.

    Raises:
        ValueError: An option is out of its range.
        TrainingStopped: A signal came; the state is saved.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        max_epochs: int,
        val_begin: int = 1,
        val_interval: int = 1,
        dynamic_intervals: list[tuple[int, int]] | None = None,
        *,
        grace_s: float = 60.0,
        nonfinite_loss: str = "stop",
        max_corrupted_share: float = 0.0,
    ) -> None:
        self._set_up(
            runner,
            dataloader,
            grace_s=grace_s,
            nonfinite_loss=nonfinite_loss,
            max_corrupted_share=max_corrupted_share,
        )
        EpochBasedTrainLoop.__init__(
            self, runner, self.dataloader, max_epochs, val_begin, val_interval, dynamic_intervals
        )

    def run(self) -> Any:
        """Train."""
        self.runner.call_hook("before_train")
        with self._running():
            self._decide_current_val_interval()
            if self._iter == self._epoch * len(self.dataloader):
                self._validate_if_left()
            while self._epoch < self._max_epochs and not self.stop_training:
                self.run_epoch()
                self._stop_if_asked(validated=not self._is_due())
                self._decide_current_val_interval()
                if self._is_due():
                    self._validate()
                    self._stop_if_asked(validated=True)
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Train for one epoch, or for what is left of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        for index, batch in enumerate(self._batches(self._epoch, done), done):
            self._prepare(batch)
            self.run_iter(index, batch)
            if index + 1 < len(self.dataloader):
                self._stop_if_asked(validated=True)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _is_due(self) -> bool:
        return (
            self.runner.val_loop is not None
            and self._epoch >= self.val_begin
            and (self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs)
        )
