"""mmengine's training loops, which stop when asked and go on bit for bit."""

import copy
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import barrier, get_rank, get_world_size
from mmengine.hooks import EMAHook, Hook
from mmengine.registry import LOOPS
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmengine.runner.utils import calc_dynamic_intervals
from torch.utils.data import DataLoader

from glore_seg.engine.long_runs.data_faults import DataFaults
from glore_seg.engine.long_runs.loss_guard import LossGuard
from glore_seg.engine.long_runs.placed_sampler import PlacedSampler
from glore_seg.engine.long_runs.seeded_dataset import CollateLoaded, SeededDataset
from glore_seg.engine.long_runs.seeds import seed_everything, seed_of
from glore_seg.engine.long_runs.stop_signals import StopSignals, TrainingStopped
from glore_seg.engine.long_runs.whole_checkpoint_hook import WholeCheckpointHook
from glore_seg.engine.long_runs.worker_signals import ShieldedWorker

_ITERATIONS, _VALIDATIONS = 2, 3  # apart from the seeds of samples


class _Resumable(BaseLoop):
    """What both loops share.

    Random numbers of an iteration hang on the run's seed, the process and the number of the
    iteration; those of a sample on the seed, the epoch and its position. So a training that goes
    on from a checkpoint draws what an undisturbed one does, with any number of workers.
    """

    _iter: int
    _epoch: int

    def _set_up(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        *,
        grace_s: float,
        nonfinite_loss: str,
        max_damaged_share: float,
    ) -> None:
        if not 0 <= max_damaged_share < 1:
            raise ValueError(f"max_damaged_share is {max_damaged_share}; expected 0 to below 1")
        self._signals = StopSignals(grace_s)
        self._guard = LossGuard(runner, nonfinite_loss)
        BaseLoop.__init__(self, runner, _with_places(runner, dataloader, max_damaged_share > 0))
        self.dataloader.collate_fn = CollateLoaded(self.dataloader.collate_fn)
        self.dataloader.worker_init_fn = ShieldedWorker(self.dataloader.worker_init_fn)
        self._faults = DataFaults(runner, self.dataloader.dataset, max_damaged_share)
        if hasattr(self.dataloader.dataset, "metainfo"):
            runner.visualizer.dataset_meta = self.dataloader.dataset.metainfo

    @contextmanager
    def _running(self) -> Iterator[None]:
        cut = _ValidationCut(self._signals)
        self.runner.register_hook(cut)
        try:
            with self._signals, self._guard.watching():
                yield
        except RuntimeError as error:
            named = self._faults.named(error)
            if named is None:
                raise
            raise named from error
        finally:
            self.runner._hooks.remove(cut)

    def _batches(self, epoch: int, skip: int) -> Iterator[Any]:
        """Load one epoch from a batch on; without end for a sampler that has none."""
        self.dataloader.sampler.start(
            seed=_seed_of(self.runner), epoch=epoch, skip=skip * self.dataloader.batch_size
        )
        for batch in self.dataloader:
            yield self._faults.check(batch)

    def _prepare(self, batch: Any) -> None:
        """Set what an iteration's random numbers are, whatever came before."""
        self._seed(_ITERATIONS)
        self._guard.begin(batch)

    def _seed(self, kind: int) -> None:
        seed_everything(seed_of(kind, _seed_of(self.runner), get_rank(), self._iter))

    def _is_due(self) -> bool:
        raise NotImplementedError

    def _validate(self) -> None:
        self._seed(_VALIDATIONS)
        try:
            self.runner.val_loop.run()
        except _Cut:
            for hook in self.runner.hooks:
                if isinstance(hook, EMAHook):  # validation had them exchanged
                    hook._swap_ema_parameters()
            self._stop(self._signals.received, validated=False)

    def _validate_if_left(self) -> None:
        """Do what a stopped run had left undone between saving and validating."""
        hook = _checkpoint_hook(self.runner)
        if self._iter > 0 and hook is not None and not hook.validated and self._is_due():
            self._validate()

    def _stop_if_asked(self, *, validated: bool) -> None:
        signum = self._signals.agreed()
        if not signum:
            return
        wrapper = self.runner.optim_wrapper
        if getattr(wrapper, "_inner_count", 0) % getattr(wrapper, "_accumulative_counts", 1):
            return  # the gradients so far are in no checkpoint: after the optimiser's step
        self._stop(signum, validated=validated)

    def _stop(self, signum: int, *, validated: bool) -> None:
        hook = _checkpoint_hook(self.runner)
        saved = "nothing is saved: the config has no WholeCheckpointHook"
        if hook is not None:
            path = hook.save_stopped(self.runner, validated=validated)
            saved = f"{path} is saved; go on with --resume"
        barrier()
        raise TrainingStopped(
            signum, f"stopped by {signal.Signals(signum).name} at iteration {self._iter}: {saved}"
        )


@LOOPS.register_module()
class ResumableIterLoop(_Resumable, IterBasedTrainLoop):
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
            :class:`glore_seg.engine.long_runs.loss_guard.LossGuard`.
        max_damaged_share: Share of the data set, 0 to below 1, that may be damaged and is
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
        max_damaged_share: float = 0.0,
    ) -> None:
        # not the parent's: it starts loading at once, before anybody knows where to begin
        self._set_up(
            runner,
            dataloader,
            grace_s=grace_s,
            nonfinite_loss=nonfinite_loss,
            max_damaged_share=max_damaged_share,
        )
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
class ResumableEpochLoop(_Resumable, EpochBasedTrainLoop):
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
        max_damaged_share: As for :class:`ResumableIterLoop`.

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
        max_damaged_share: float = 0.0,
    ) -> None:
        self._set_up(
            runner,
            dataloader,
            grace_s=grace_s,
            nonfinite_loss=nonfinite_loss,
            max_damaged_share=max_damaged_share,
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


class _Cut(Exception):
    """Ends a validation between two batches."""


class _ValidationCut(Hook):
    """Ends a validation when a signal has come.

    Several processes finish theirs: they wait for each other at its end.
    """

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals

    def after_val_iter(self, *args: Any, **options: Any) -> None:
        if self._signals.received and get_world_size() == 1:
            raise _Cut


def _with_places(
    runner: Runner, dataloader: dict[str, Any] | DataLoader, replace_damaged: bool
) -> dict[str, Any]:
    """The config of a loader with the data set and the sampler that know each sample's place."""
    if not isinstance(dataloader, dict) or dataloader.get("batch_sampler") is not None:
        raise ValueError(
            "train_dataloader is built already or has a batch_sampler; expected a config with "
            "batch_size and sampler: keep mmengine's own loop (train_cfg.type) for this one"
        )
    cfg = copy.deepcopy(dataloader)
    # configs, not objects: the runner copies what it is given
    cfg["dataset"] = {
        "type": SeededDataset,
        "dataset": cfg["dataset"],
        "replace_damaged": replace_damaged,
        "num_workers": cfg.get("num_workers", 0),
    }
    cfg["sampler"] = {
        "type": PlacedSampler,
        "sampler": cfg["sampler"],
        "rank": get_rank(),
        "world_size": get_world_size(),
        "seed": _seed_of(runner),
    }
    return cfg


def _seed_of(runner: Runner) -> int:
    """The seed that all processes share."""
    own = runner._randomness_cfg.get("diff_rank_seed", False)
    return runner.seed - (get_rank() if own else 0)


def _checkpoint_hook(runner: Runner) -> WholeCheckpointHook | None:
    hooks = (hook for hook in runner.hooks if isinstance(hook, WholeCheckpointHook))
    return next(hooks, None)
