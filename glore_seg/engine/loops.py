"""mmengine's training loops, resumable bit for bit after a stop or a kill."""

import copy
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import barrier, broadcast, get_rank, get_world_size
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import print_log
from mmengine.registry import LOOPS
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from glore_seg.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook, is_accumulating
from glore_seg.engine.hooks.peer_heartbeat_hook import EXIT_CODE, PeerHeartbeatHook, lost_peer
from glore_seg.engine.nonfinite_loss import NonFiniteLossCheck
from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.engine.samplers import ResumableSampler, derive_seed, seed_everything
from glore_seg.engine.stop_signals import StopSignals, TrainingStopped, shield_worker

_ITERATIONS, _VALIDATIONS = 2, 3  # the sampler derives the seeds of samples with 1


class Resumable(BaseLoop):
    """What both loops share: seeds by position, signals, checks, and pending validations.

    The random numbers of an iteration depend on the run's seed, the rank and the iteration, those
    of a sample on the seed, the epoch and its position. A resumed training draws the same numbers
    as an undisturbed one, with any number of workers.

    Args:
        runner: The runner.
        dataloader: Config of the data loader.
        *args: Those of mmengine's loop.
        grace_s: Seconds from SIGTERM, SIGINT or SIGUSR1 until the process exits even unsaved.
        nonfinite_loss: ``"stop"`` or ``"skip"``, see :class:`NonFiniteLossCheck`.
        max_corrupted_share: Share of the dataset, 0 to below 1, that may be corrupted and is
            replaced; 0 stops at the first corrupted file.
        **kwargs: Those of mmengine's loop.

    Raises:
        ConfigError: An option is out of range.
        TrainingStopped: A signal came and the state is saved; or another process is lost.
    """

    _iter: int
    stop_training: bool

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        *args: Any,
        grace_s: float = 60.0,
        nonfinite_loss: str = "stop",
        max_corrupted_share: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._signals = StopSignals(grace_s)
        self._loss_check = NonFiniteLossCheck(runner, nonfinite_loss)
        cfg = copy.deepcopy(dataloader)
        # configs, not objects: the runner copies what it is given
        cfg["dataset"] = {
            "type": PerSampleSeedDataset,
            "dataset": cfg["dataset"],
            "max_corrupted_share": max_corrupted_share,
        }
        cfg["sampler"] = {
            "type": ResumableSampler,
            "sampler": cfg["sampler"],
            "rank": get_rank(),
            "world_size": get_world_size(),
            "seed": _shared_seed(runner),
        }
        loader = runner.build_dataloader(cfg, seed=_shared_seed(runner))
        loader.worker_init_fn = partial(shield_worker, loader.worker_init_fn)
        # mmengine's loop creates an iterator before the position is known: without workers
        own = loader.num_workers, loader.timeout
        loader.num_workers = loader.timeout = 0
        super().__init__(runner, loader, *args, **kwargs)
        loader.num_workers, loader.timeout = own

    @contextmanager
    def _fault_tolerance(self) -> Iterator[None]:
        in_validation = _InValidation(self._signals)
        self.runner.register_hook(in_validation)
        try:
            with self._signals, self._loss_check.active():
                yield
        except RuntimeError as error:
            text = lost_peer(error)
            if text is None:
                raise
            raise TrainingStopped(EXIT_CODE, text) from error
        finally:
            self.runner._hooks.remove(in_validation)

    def _batches(self, epoch: int, skip: int) -> Iterator[Any]:
        """Load one epoch from a batch on; endlessly for an infinite sampler."""
        self.dataloader.sampler.start(
            seed=_shared_seed(self.runner), epoch=epoch, skip=skip * self.dataloader.batch_size
        )
        yield from self.dataloader

    def _before_iter(self, batch: Any) -> None:
        self._seed(_ITERATIONS)
        self._loss_check.before_iter(batch)

    def _seed(self, kind: int) -> None:
        seed_everything(derive_seed(kind, _shared_seed(self.runner), get_rank(), self._iter))

    def _is_due(self) -> bool:
        """Whether a validation is due now."""
        raise NotImplementedError

    def _is_due_at(self, done: int, last: int) -> bool:
        due = done >= self.val_begin and (done % self.val_interval == 0 or done == last)
        return due and self.runner.val_loop is not None

    def _validate(self) -> None:
        self._seed(_VALIDATIONS)
        try:
            self.runner.val_loop.run()
        except _ValidationCut:
            for hook in self.runner.hooks:
                if isinstance(hook, EMAHook):  # validation had exchanged the weights
                    hook._swap_ema_parameters()
            self._stop(self._signals.received, validated=False)
        checkpoints = _find_hook(self.runner, AtomicCheckpointHook)
        if self.stop_training and checkpoints is not None:  # by early stopping
            checkpoints.save_stopped(self.runner, validated=True)
        self._stop_if_asked(validated=True)

    def _validate_if_pending(self) -> None:
        """Validate what a stopped run had saved, but not validated."""
        hook = _find_hook(self.runner, AtomicCheckpointHook)
        if self._iter > 0 and hook is not None and not hook.validated and self._is_due():
            self._validate()

    def _validate_if_due(self) -> None:
        self._stop_if_asked(validated=not self._is_due())
        self._decide_current_val_interval()
        if self._is_due():
            self._validate()

    def _stop_if_asked(self, *, validated: bool) -> None:
        signum = self._signals.agreed()
        if signum and not is_accumulating(self.runner.optim_wrapper):  # gradients are not saved
            self._stop(signum, validated=validated)

    def _stop(self, signum: int, *, validated: bool) -> None:
        checkpoints = _find_hook(self.runner, AtomicCheckpointHook)
        saved = "nothing is saved: the config has no AtomicCheckpointHook"
        if checkpoints is not None:
            path = checkpoints.save_stopped(self.runner, validated=validated)
            saved = f"{path} is saved; go on with --resume"
        barrier()
        heartbeat = _find_hook(self.runner, PeerHeartbeatHook)
        if heartbeat is not None:
            heartbeat.leave()
        name = signal.Signals(signum).name
        text = f"stopped by {name} at iteration {self._iter}: {saved}"
        raise TrainingStopped(128 + signum, text)


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
        return self._is_due_at(self._iter, self._max_iters)


@LOOPS.register_module()
class ResumableEpochLoop(Resumable, EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop`` with the options of :class:`Resumable`."""

    def run(self) -> Any:
        """Train."""
        self._fit_epoch_length()
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

    def _fit_epoch_length(self) -> None:
        """Count anew after a restart with another batch size or number of processes."""
        hub, length = self.runner.message_hub, len(self.dataloader)
        before = hub.get_info("epoch_length", length)  # with the checkpoint
        if before != length:
            done = (self._iter - self._epoch * before) * length // before
            self._iter = self._epoch * length + done
            print_log(
                f"an epoch has {length} iterations, {before} before the restart: it goes on after "
                f"{self._epoch} epochs and {done} iterations",
                logger="current",
                level=logging.WARNING,
            )
        hub.update_info("epoch_length", length)

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
        return self._is_due_at(self._epoch, self._max_epochs)


class _ValidationCut(Exception):
    """Ends a validation between two batches."""


class _InValidation(Hook):
    """Ends the validation of a single process when a signal has come.

    Several processes finish theirs, since they wait for each other at its end. All validate the
    network of rank 0, which is saved: statistics of norms that are not synchronized differ.
    """

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals

    def before_val_epoch(self, runner: Runner) -> None:
        if get_world_size() > 1:
            for buffer in runner.model.buffers():
                broadcast(buffer)

    def after_val_iter(self, *args: Any, **options: Any) -> None:
        if self._signals.received and get_world_size() == 1:
            raise _ValidationCut


def _shared_seed(runner: Runner) -> int:
    """The seed of the run, which all processes share."""
    differs = runner._randomness_cfg.get("diff_rank_seed", False)
    return runner.seed - (get_rank() if differs else 0)


def _find_hook(runner: Runner, kind: type[Any]) -> Any:
    return next((hook for hook in runner.hooks if isinstance(hook, kind)), None)
