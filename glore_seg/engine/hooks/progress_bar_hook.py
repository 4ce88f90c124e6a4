"""A progress bar of training, validation and testing."""

from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Shows a bar with the time left instead of log lines, for ``log_level="ERROR"``.

    Args:
        score: The validation score to print.
        interval: Iterations between two lines where the output is no terminal.
    """

    priority = "VERY_LOW"

    def __init__(self, score: str = "mIoU", interval: int = 50) -> None:
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

    def before_test(self, runner: Runner) -> None:
        """Open the bar of the test."""
        self._open("testing", len(runner.test_dataloader), 0)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Advance it."""
        self._advance("")

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    after_test = after_train

    def _open(self, title: str, total: int, completed: int) -> None:
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(
            *columns,
            *(TextColumn("ETA"), TimeRemainingColumn(), TextColumn("{task.fields[note]}")),
            console=self._console,
            disable=not self._console.is_terminal,  # it would print one line at the very end
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
