"""mmengine's training loops, resumable bit for bit after a stop or a kill."""

from collections.abc import Iterator
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from glore_seg.engine.resumable import Resumable


@LOOPS.register_module()
class ResumableIterLoop(Resumable, IterBasedTrainLoop):
    """mmengine's ``IterBasedTrainLoop`` with the options of :class:`Resumable`."""

    def run(self) -> Any:
        """Train."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        with self._fault_tolerance():
            self._decide_current_val_interval()
            self._validate_if_pending()
            batches = self._all_batches()
            while self._iter < self._max_iters and not self.stop_training:
                self.runner.model.train()
                batch = next(batches)
                self._before_iter(batch)
                self.run_iter(batch)
                self._validate_if_due()
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
    """mmengine's ``EpochBasedTrainLoop`` with the options of :class:`Resumable`."""

    def run(self) -> Any:
        """Train."""
        self.runner.call_hook("before_train")
        with self._fault_tolerance():
            self._decide_current_val_interval()
            if self._iter == self._epoch * len(self.dataloader):
                self._validate_if_pending()
            while self._epoch < self._max_epochs and not self.stop_training:
                self.run_epoch()
                self._validate_if_due()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Train for one epoch, or for the rest of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        for index, batch in enumerate(self._batches(self._epoch, done), done):
            self._before_iter(batch)
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
