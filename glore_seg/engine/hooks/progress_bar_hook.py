"""A progress bar with ETA for those who start a training and watch it."""

from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from glore_seg.errors import ConfigError


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Shows training, validation and testing as bars instead of log lines.

    For use with ``log_level="ERROR"``. Where the output is no terminal, a line is printed now
    and then.

    Args:
        score: The validation score to print.
        interval: Iterations between two lines where the output is no terminal.

    Raises:
        ConfigError: ``interval`` is below 1.
    """

    priority = "VERY_LOW"

    def __init__(self, score: str = "mIoU", interval: int = 50) -> None:
        if interval < 1:
            raise ConfigError(f"interval must be at least 1, got {interval}")
        self.score = score
        self.interval = interval
        self._console = Console(quiet=not is_main_process())
        self._bar: Progress | None = None

    def before_train(self, runner: Runner) -> None:
        """Open the bar of the training."""
        self._open("training", runner.max_iters, runner.iter)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Advance it and show the loss."""
        loss = runner.message_hub.get_scalar("train/loss").mean(self.interval)
        self._advance(f"loss {loss:.3f}")

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Print the score."""
        value = (metrics or {}).get(self.score)
        if value is not None:
            self._console.print(f"  {self.score} on val at iteration {runner.iter}: {value:.2f}")

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        self._close()

    def before_test(self, runner: Runner) -> None:
        """Open the bar of the test."""
        self._open("testing", len(runner.test_dataloader), 0)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Advance it."""
        self._advance("")

    def after_test(self, runner: Runner) -> None:
        """Close it."""
        self._close()

    def _open(self, title: str, total: int, completed: int) -> None:
        self._bar = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            # A bar that only a terminal can redraw would come out as one line at the very end.
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=total, completed=completed, note="")
        self._bar.start()

    def _advance(self, note: str) -> None:
        if self._bar is None:
            return
        self._bar.update(self._task, advance=1, note=note)
        task = self._bar.tasks[self._task]
        done = int(task.completed)
        if not self._console.is_terminal and (done % self.interval == 0 or done == task.total):
            eta = "" if task.time_remaining is None else f", {task.time_remaining:.0f} s left"
            self._console.print(f"  {task.description} {done}/{task.total:.0f}{eta} {note}")

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
