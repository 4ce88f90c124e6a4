"""What the training loops share: places, signals, faults, and validations left undone."""

import copy
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import barrier, broadcast, get_rank, get_world_size
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

from glore_seg.engine.corrupted_samples import DataFaults
from glore_seg.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from glore_seg.engine.hooks.peer_heartbeat_hook import PeerHeartbeatHook
from glore_seg.engine.nonfinite_loss import NonFiniteLossCheck
from glore_seg.engine.per_sample_seed_dataset import CollateLoaded, PerSampleSeedDataset
from glore_seg.engine.samplers import ResumableSampler
from glore_seg.engine.seeds import seed_everything, seed_of
from glore_seg.engine.stop_signals import StopSignals, TrainingStopped
from glore_seg.engine.worker_signals import ShieldedWorker
from glore_seg.errors import ConfigError

_ITERATIONS, _VALIDATIONS = 2, 3  # apart from the seeds of samples


class Resumable(BaseLoop):
    """What both loops share; not a loop by itself.

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
        max_corrupted_share: float,
    ) -> None:
        if not 0 <= max_corrupted_share < 1:
            raise ConfigError(
                f"max_corrupted_share is {max_corrupted_share}; expected 0 to below 1"
            )
        self._signals = StopSignals(grace_s)
        self._guard = NonFiniteLossCheck(runner, nonfinite_loss)
        BaseLoop.__init__(self, runner, _with_places(runner, dataloader, max_corrupted_share > 0))
        self.dataloader.collate_fn = CollateLoaded(self.dataloader.collate_fn)
        self.dataloader.worker_init_fn = ShieldedWorker(self.dataloader.worker_init_fn)
        self._faults = DataFaults(runner, self.dataloader.dataset, max_corrupted_share)
        if hasattr(self.dataloader.dataset, "metainfo"):
            runner.visualizer.dataset_meta = self.dataloader.dataset.metainfo

    @contextmanager
    def _running(self) -> Iterator[None]:
        cut = _ValidationCut(self._signals)
        self.runner.register_hook(cut)
        try:
            with self._signals, self._guard.watching():
                yield
        except (RuntimeError, ConnectionError, EOFError) as error:
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
            return  # the gradients so far are in no checkpoint: after the optimizer's step
        self._stop(signum, validated=validated)

    def _stop(self, signum: int, *, validated: bool) -> None:
        hook = _checkpoint_hook(self.runner)
        saved = "nothing is saved: the config has no AtomicCheckpointHook"
        if hook is not None:
            path = hook.save_stopped(self.runner, validated=validated)
            saved = f"{path} is saved; go on with --resume"
        barrier()
        for one in self.runner.hooks:
            if isinstance(one, PeerHeartbeatHook):
                one.leave()
        raise TrainingStopped(
            signum, f"stopped by {signal.Signals(signum).name} at iteration {self._iter}: {saved}"
        )


class _Cut(Exception):
    """Ends a validation between two batches."""


class _ValidationCut(Hook):
    """Ends a validation when a signal has come.

    Several processes finish theirs: they wait for each other at its end. And they validate the
    network that is saved, the first one's: norms that are not synchronized have other running
    statistics in each.
    """

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals

    def before_val_epoch(self, runner: Runner) -> None:
        if get_world_size() > 1:
            for buffer in runner.model.buffers():
                broadcast(buffer)

    def after_val_iter(self, *args: Any, **options: Any) -> None:
        if self._signals.received and get_world_size() == 1:
            raise _Cut


def _with_places(
    runner: Runner, dataloader: dict[str, Any] | DataLoader, replace_corrupted: bool
) -> dict[str, Any]:
    """The config of a loader with the dataset and the sampler that know each sample's place."""
    if not isinstance(dataloader, dict) or dataloader.get("batch_sampler") is not None:
        raise ConfigError(
            "train_dataloader is built already or has a batch_sampler; expected a config with "
            "batch_size and sampler: keep mmengine's own loop (train_cfg.type) for this one"
        )
    cfg = copy.deepcopy(dataloader)
    # configs, not objects: the runner copies what it is given
    cfg["dataset"] = {
        "type": PerSampleSeedDataset,
        "dataset": cfg["dataset"],
        "replace_corrupted": replace_corrupted,
        "num_workers": cfg.get("num_workers", 0),
    }
    cfg["sampler"] = {
        "type": ResumableSampler,
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


def _checkpoint_hook(runner: Runner) -> AtomicCheckpointHook | None:
    hooks = (hook for hook in runner.hooks if isinstance(hook, AtomicCheckpointHook))
    return next(hooks, None)
