"""Runs trainings as processes of their own, some at a time, and shows how far they are."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from glore_seg.engine.ablation.plan import Run, write_settings

_LOG_LINES = 12


def run_all(
    runs: Sequence[Run],
    train_tool: Path,
    *,
    jobs: int = 1,
    gpus: Sequence[int] | None = None,
    poll_seconds: float = 2.0,
) -> None:
    """Train what is not trained yet; a half run goes on from its checkpoint.

    Each run writes ``train.log`` into its work folder. After one that fails the others go on. Where
    this is interrupted, it ends the trainings that it began.

    Args:
        runs: What to train, in this order.
        train_tool: ``tools/train.py``.
        jobs: How many at a time.
        gpus: Numbers of GPUs, each for one run at a time; ``jobs`` does not count then. Default:
            every run sees whatever the machine has.
        poll_seconds: How often to look whether one has ended.

    Raises:
        ValueError: ``jobs`` is below 1.
        ChildProcessError: A run failed; the message has the end of its log.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; expected 1 or more")
    waiting = [run for run in runs if not run.finished()]
    free: list[int | None] = list(gpus) if gpus else [None] * jobs
    live: list[tuple[Run, int | None, subprocess.Popen]] = []
    failed: list[tuple[Run, int]] = []
    board = _Board(runs)
    try:
        while waiting or live:
            while waiting and free:
                run, gpu = waiting.pop(0), free.pop(0)
                live.append((run, gpu, _start(run, train_tool, gpu)))
                board.say(f"{run.name} begins at iteration {run.iteration()}")
            time.sleep(poll_seconds)
            for entry in list(live):
                run, gpu, process = entry
                code = process.poll()
                if code is None:
                    continue
                live.remove(entry)
                free.append(gpu)
                if code == 0 and run.finished():
                    board.say(f"{run.name} is done")
                else:
                    failed.append((run, code))
                    board.say(f"{run.name} failed with exit code {code}")
            board.update([run for run, _ in failed])
    finally:
        for _, _, process in live:
            process.terminate()
        for _, _, process in live:
            process.wait()
        board.close()
    if failed:
        run, code = failed[0]
        raise ChildProcessError(
            f"{len(failed)} of {len(runs)} runs failed, the first {run.name} with exit code "
            f"{code}; its log {_log_of(run)} ends with\n{_end_of(_log_of(run))}\n"
            "The same command goes on where they stopped"
        )


def _start(run: Run, train_tool: Path, gpu: int | None) -> subprocess.Popen:
    write_settings(run.row)
    run.work_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(train_tool), str(run.row.settings)]
    command += ["--work-dir", str(run.work_dir)]
    if (checkpoint := run.checkpoint()) is not None:
        command += ["--resume", str(checkpoint)]
    command += ["--cfg-options", f"randomness.seed={run.seed}"]
    environment = dict(os.environ)
    if gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = str(gpu)
    with _log_of(run).open("a") as log:
        return subprocess.Popen(  # noqa: S603  a list, our own interpreter and tool
            command, stdout=log, stderr=subprocess.STDOUT, env=environment
        )


def _log_of(run: Run) -> Path:
    return run.work_dir / "train.log"


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])


class _Board:
    """A bar over the iterations of all runs; where the output is no terminal, lines."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._console = Console()
        self._begin = time.monotonic()
        self._at_first = sum(self._iterations(run) for run in runs)
        self._done = self._at_first
        self._total = sum(run.max_iters for run in runs)
        self._bar = Progress(
            TextColumn("iterations of {task.fields[count]} runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(
            "", total=self._total, completed=self._done, count=len(runs), left=""
        )
        self._bar.start()

    @staticmethod
    def _iterations(run: Run) -> int:
        return run.max_iters if run.finished() else run.iteration()

    def update(self, given_up: Sequence[Run]) -> None:
        """Look how far the runs are; what has failed is no longer to come."""
        self._done = sum(self._iterations(run) for run in self._runs)
        missing = sum(run.max_iters - self._iterations(run) for run in given_up)
        self._total = sum(run.max_iters for run in self._runs) - missing
        self._bar.update(
            self._task, total=self._total, completed=self._done, left=self._time_left()
        )

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._done = sum(self._iterations(run) for run in self._runs)
        self._console.print(
            f"{time.strftime('%H:%M:%S')}  {text}; {self._done} of {self._total} iterations of "
            f"the set{self._time_left()}",
            highlight=False,
            soft_wrap=True,
        )

    def _time_left(self) -> str:
        here = self._done - self._at_first
        if here <= 0:
            return ""
        seconds = (time.monotonic() - self._begin) * (self._total - self._done) / here
        return f", about {seconds / 60:.0f} min left"

    def close(self) -> None:
        """Take the bar down."""
        self._bar.stop()
