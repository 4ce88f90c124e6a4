"""Runs trainings as processes of their own, some at a time, and shows how far they are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from glore_seg.errors import ConfigError, GloReSegError
from glore_seg.utils.files import atomic_write, locked
from projects.reproduction.ablation.plan import Run


@dataclass(frozen=True)
class _Training:
    """A run that a process trains, on a GPU of its own where it has a number."""

    run: Run
    gpu: int | None
    process: subprocess.Popen
    log_begin: int  # bytes of the attempts before


def run_all(
    runs: Sequence[Run],
    train_tool: Path,
    *,
    jobs: int = 1,
    gpus: Sequence[int] | None = None,
    poll_seconds: float = 2.0,
) -> None:
    """Train what is not trained yet, in order; a half run goes on from its newest checkpoint.

    Each run writes ``train.log`` into its work folder. After one that fails the others go on. Where
    this is interrupted, by SIGINT or SIGTERM, it ends the trainings that it began; they save first.

    Args:
        runs: What to train.
        train_tool: ``tools/train.py``.
        jobs: How many at a time, if no GPUs are given.
        gpus: Numbers of GPUs, as torch counts them here, each for one run at a time. Default: every
            run sees whatever the machine has.
        poll_seconds: How often to look whether one has ended.

    Raises:
        ConfigError: ``jobs`` is below 1, or there are no such GPUs.
        GloReSegError: A run failed; the message has the last words of its log.
        OutputError: A run is being trained by another process.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; expected 1 or more")
    given, count = [*(gpus or ())], torch.cuda.device_count()
    if not {*given} <= {*range(count)} or len({*given}) < len(given):
        raise ConfigError(
            f"gpus are {' '.join(map(str, given))}, and torch finds {count} GPUs here, counted "
            "from 0; expected each number of those once, or leave --gpus out"
        )
    waiting = [run for run in runs if not run.finished()]
    free: list[int | None] = list(gpus) if gpus else [None] * jobs
    live: list[_Training] = []
    failed: list[str] = []
    progress = _RunProgress(runs)
    with _noted_signals() as signals, progress.bar:
        try:
            while waiting or live:
                while waiting and free:
                    run = waiting.pop(0)
                    live.append(_start(run, train_tool, free.pop(0)))
                    progress.say(f"{run.name} begins at iteration {run.iteration()}")
                time.sleep(poll_seconds)
                if signals:
                    progress.say("stopping: the trainings save first, and what is done is kept")
                    break
                for training in list(live):
                    run, code = training.run, training.process.poll()
                    progress.update(run)
                    if code is None:
                        continue
                    live.remove(training)
                    free.append(training.gpu)
                    if code == 0 and run.finished():
                        progress.say(f"{run.name} is done")
                        continue
                    no_score = f"no mIoU of iteration {run.max_iters} in its scalars"
                    reason = f"exit code {code}" if code else no_score
                    failed.append(
                        f"{run.name} with {reason}. The same command goes on where they stopped; "
                        f"remove a run's folder to begin it anew. {_log_of(run)} ends with: "
                        f"{_last_words(training)}"
                    )
                    progress.give_up(run)
                    progress.say(f"{run.name} failed with {reason}")
        finally:
            for training in live:
                training.process.terminate()
            for training in live:
                training.process.wait()
    if signals:
        raise KeyboardInterrupt if signals[0] == signal.SIGINT else SystemExit(128 + signals[0])
    if failed:
        raise GloReSegError(f"{len(failed)} of {len(runs)} runs failed, the first {failed[0]}")


def _start(run: Run, train_tool: Path, gpu: int | None) -> _Training:
    settings = run.row.folder / f"{run.row.name}.py"
    with atomic_write(settings) as temporary:
        run.row.cfg.dump(temporary)
    run.work_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(train_tool), str(settings), "--work-dir", str(run.work_dir)]
    if any(run.work_dir.glob("*.pth")):
        # the newest valid one; without any, hooks of the config's own would forget its load_from
        command.append("--resume")
    command += ["--cfg-options", f"randomness.seed={run.seed}"]
    environment = dict(os.environ)
    if gpu is not None:
        # of those that a scheduler, say, has left to this process
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        environment["CUDA_VISIBLE_DEVICES"] = visible.split(",")[gpu] if visible else str(gpu)
    # The training inherits the lock with the log and holds it while it lives, even where the
    # process that started it was killed.
    with locked(_log_of(run), doing=f"training in {run.work_dir}") as log:
        begin = log.tell()
        process = subprocess.Popen(  # noqa: S603  a list, our own interpreter and tool
            command, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
    return _Training(run, gpu, process, begin)


def _log_of(run: Run) -> Path:
    return run.work_dir / "train.log"


def _last_words(training: _Training) -> str:
    """The last error, or the last line, that this attempt logged."""
    text = _log_of(training.run).read_bytes()[training.log_begin :].decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()] or ["nothing"]
    return ([line for line in lines if line.startswith("error:")] or lines)[-1].strip()


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM as they come: raised amid a start, they would leave a training behind."""
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, frame: noted.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN  # as in a job of a shell's background
    }
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _RunProgress:
    """A bar over the iterations of all runs, on a terminal, and a line when one begins or ends."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._total = sum(run.max_iters for run in runs)
        self._reached = {
            run.name: run.max_iters if run.finished() else run.iteration() for run in runs
        }
        self._begin, self._at_first = time.monotonic(), sum(self._reached.values())
        console = Console()
        columns = BarColumn(), TextColumn("{task.description}")
        self.bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self.bar.add_task("")

    def update(self, run: Run) -> None:
        # a run that went back to a checkpoint logs what it had logged before
        self._reached[run.name] = max(self._reached[run.name], run.iteration())
        done = sum(self._reached.values())
        self.bar.update(self._task, total=self._total, completed=done, description=self._state())

    def give_up(self, run: Run) -> None:
        """Expect no more of a run that failed."""
        self._total -= run.max_iters - self._reached[run.name]

    def say(self, text: str) -> None:
        text = f"{time.strftime('%H:%M:%S')}  {text}; {self._state()}"
        self.bar.console.print(text, highlight=False, soft_wrap=True)

    def _state(self) -> str:
        """Iterations done and in all, and the time left by the speed since the beginning."""
        done = sum(self._reached.values())
        state, here = f"{done} of {self._total} iterations of the set", done - self._at_first
        if here <= 0:
            return state
        seconds = (time.monotonic() - self._begin) * (self._total - done) / here
        return f"{state}, about {seconds / 60:.0f} min left"
