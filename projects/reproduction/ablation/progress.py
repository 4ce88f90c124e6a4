"""How far a set of trainings is, and how long it still takes."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from projects.reproduction.ablation.plan import Run


class Board:
    """A bar over the iterations of all runs, and a line whenever one begins or ends.

    Where the output is no terminal there are only the lines. The time left is reckoned from the
    iterations since the board was made.

    Args:
        runs: All runs, finished ones included.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._lengths = {run.name: run.max_iters for run in runs}
        self._reached = {
            run.name: run.max_iters if run.finished() else run.iteration() for run in runs
        }
        self._begin = time.monotonic()
        self._at_first = self._done
        self._console = Console()
        self._bar = Progress(
            TextColumn(f"iterations of {len(runs)} runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._total, completed=self._done, left="")
        self._bar.start()

    def look_at(self, run: Run) -> None:
        """Take in how far a run is."""
        # a run that went back to a checkpoint logs what it had logged before
        self._reached[run.name] = max(self._reached[run.name], run.iteration())
        left = self._time_left()
        self._bar.update(self._task, total=self._total, completed=self._done, left=left)

    def give_up(self, run: Run) -> None:
        """Expect no more of a run that failed."""
        self._lengths[run.name] = self._reached[run.name]

    def say(self, text: str) -> None:
        """Print a line that stays."""
        left = self._time_left()
        self._console.print(
            f"{time.strftime('%H:%M:%S')}  {text}; {self._done} of {self._total} iterations of "
            f"the set{', ' if left else ''}{left}",
            highlight=False,
            soft_wrap=True,
        )

    def close(self) -> None:
        """Take the bar down."""
        self._bar.stop()

    @property
    def _done(self) -> int:
        return sum(self._reached.values())

    @property
    def _total(self) -> int:
        return sum(self._lengths.values())

    def _time_left(self) -> str:
        here = self._done - self._at_first
        if here <= 0:
            return ""
        seconds = (time.monotonic() - self._begin) * (self._total - self._done) / here
        return f"about {seconds / 60:.0f} min left"
