"""Early stopping that a resumed training goes on with."""

import logging
from math import isfinite
from typing import Any

from mmengine.hooks import EarlyStoppingHook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner


@HOOKS.register_module()
class ResumableEarlyStoppingHook(EarlyStoppingHook):
    """mmengine's ``EarlyStoppingHook``, whose count and best value are part of each checkpoint.

    A resumed training counts on. One that had been stopped ends at once and says so, unless its
    settings (``patience``, ``stopping_threshold``, ``check_finite``) now let it train on. The
    arguments are those of ``EarlyStoppingHook``.
    """

    priority = "LOW"  # before the checkpoint hook, which saves the best one with this count

    def before_run(self, runner: Runner) -> None:
        """Check the loop of a training; there is none in a test."""
        if isinstance(runner._train_loop, BaseLoop):
            super().before_run(runner)

    def before_train(self, runner: Runner) -> None:
        """Go on from a checkpoint."""
        state = runner.message_hub.runtime_info.get(self._key) if runner._resume else None
        if state is None:
            return
        self.wait_count, self.best_score, score = state
        reason = self._reason(score)
        if reason:
            runner.train_loop.stop_training = True
            print_log(
                f"early stopping ends this training at iteration {runner.iter}: {reason}. To train "
                "on, change this setting of EarlyStoppingHook",
                logger="current",
                level=logging.WARNING,
            )

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Decide whether to stop."""
        if not isinstance(runner._train_loop, BaseLoop):
            return
        super().after_val_epoch(runner, metrics)
        if self.monitor in metrics:
            state = (self.wait_count, float(self.best_score), float(metrics[self.monitor]))
            runner.message_hub.update_info(self._key, state)

    @property
    def _key(self) -> str:
        return f"early_stopping/{self.monitor}"

    def _reason(self, score: float) -> str:
        """The setting by which the last value stops the training, if any."""
        if self.check_finite and not isfinite(score):
            return f"{self.monitor} is {score} (check_finite=True)"
        threshold: Any = self.stopping_threshold
        if threshold is not None and self.rule_map[self.rule](score, threshold):
            return f"{self.monitor} is {score:g} (stopping_threshold={threshold:g})"
        if self.wait_count >= self.patience:
            best = f"{self.monitor} is not better than {self.best_score:g}"
            return f"{best} since {self.wait_count} validations (patience={self.patience})"
        return ""
