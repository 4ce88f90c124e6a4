"""Runs trainings as processes of their own, some at a time, and shows how far they are."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from glore_seg.errors import ConfigError, GloReSegError, OutputError
from glore_seg.utils.devices import check_gpus
from projects.reproduction.ablation.plan import Run, write_settings
from projects.reproduction.ablation.progress import Board


@dataclass(frozen=True)
class _Training:
    """A run that a process trains, on a GPU of its own where it has a number."""

    run: Run
    gpu: int | None
    process: subprocess.Popen
    log_begin: int  # bytes of the attempts before


@dataclass(frozen=True)
class _Failure:
    run: Run
    reason: str
    last_words: str


def run_all(
    runs: Sequence[Run],
    train_tool: Path,
    *,
    jobs: int = 1,
    gpus: Sequence[int] | None = None,
    poll_seconds: float = 2.0,
) -> None:
    """Train what is not trained yet; a half run goes on from its newest valid checkpoint.

    Each run writes ``train.log`` into its work folder. After one that fails the others go on. Where
    this is interrupted, by SIGINT or SIGTERM, it ends the trainings that it began; they save first.

    Args:
        runs: What to train, in this order.
        train_tool: ``tools/train.py``.
        jobs: How many at a time.
        gpus: Numbers of GPUs, as torch counts them here, each for one run at a time; ``jobs`` does
            not count then. Default: every run sees whatever the machine has.
        poll_seconds: How often to look whether one has ended.

    Raises:
        ConfigError: ``jobs`` is below 1, or there are no such GPUs.
        GloReSegError: A run failed; the message has the last words of its log.
        OutputError: A run is being trained by another process.
        KeyboardInterrupt: SIGINT came.
        SystemExit: SIGTERM came.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; expected 1 or more")
    check_gpus(gpus or ())
    waiting = [run for run in runs if not run.finished()]
    free: list[int | None] = list(gpus) if gpus else [None] * jobs
    live: list[_Training] = []
    failed: list[_Failure] = []
    board = Board(runs)
    with _noted_signals() as signals:
        try:
            while waiting or live:
                while waiting and free:
                    run = waiting.pop(0)
                    live.append(_start(run, train_tool, free.pop(0)))
                    board.say(f"{run.name} begins at iteration {run.iteration()}")
                time.sleep(poll_seconds)
                if signals:
                    board.say("stopping: the trainings save first, and what is done is kept")
                    break
                for training in list(live):
                    code = training.process.poll()
                    board.look_at(training.run)
                    if code is None:
                        continue
                    live.remove(training)
                    free.append(training.gpu)
                    if code == 0 and training.run.finished():
                        board.say(f"{training.run.name} is done")
                    else:
                        failed.append(_failure(training, code))
                        board.give_up(training.run)
                        board.say(f"{training.run.name} failed with {failed[-1].reason}")
        finally:
            for training in live:
                training.process.terminate()
            for training in live:
                training.process.wait()
            board.close()
    if signals:
        raise KeyboardInterrupt if signals[0] == signal.SIGINT else SystemExit(128 + signals[0])
    if failed:
        first = failed[0]
        raise GloReSegError(
            f"{len(failed)} of {len(runs)} runs failed, the first {first.run.name} with "
            f"{first.reason}. The same command goes on where they stopped; remove a run's folder "
            f"to begin it anew. {_log_of(first.run)} ends with: {first.last_words}"
        )


def _start(run: Run, train_tool: Path, gpu: int | None) -> _Training:
    write_settings(run.row)
    run.work_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(train_tool), str(run.row.settings)]
    command += ["--work-dir", str(run.work_dir)]
    if any(run.work_dir.glob("*.pth")):
        # the newest valid one; without any, hooks of the config's own would forget its load_from
        command.append("--resume")
    command += ["--cfg-options", f"randomness.seed={run.seed}"]
    environment = dict(os.environ)
    if gpu is not None:
        # of those that a scheduler, say, has left to this process
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        environment["CUDA_VISIBLE_DEVICES"] = visible.split(",")[gpu] if visible else str(gpu)
    with _log_of(run).open("a") as log:
        # The training inherits the lock with the file and holds it while it lives, even where the
        # process that started it was killed.
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"another process is training in {run.work_dir}: wait until it has ended, or end it"
            ) from error
        begin = log.tell()
        process = subprocess.Popen(  # noqa: S603  a list, our own interpreter and tool
            command, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
    return _Training(run, gpu, process, begin)


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM as they come.

    Raised amid a start they would leave a training that nobody ends, and amid the end of the others
    a traceback: a terminal sends a second Ctrl-C to the trainings themselves, which leave at once.
    """
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


def _failure(training: _Training, code: int) -> _Failure:
    run = training.run
    reason = f"exit code {code}" if code else f"no mIoU of iteration {run.max_iters} in its scalars"
    with _log_of(run).open("rb") as log:
        log.seek(training.log_begin)
        lines = log.read().decode(errors="replace").splitlines()
    lines = [line for line in lines if line.strip()] or ["nothing"]
    errors = [line for line in lines if line.startswith("error:")]
    return _Failure(run, reason, (errors or lines)[-1].strip())


def _log_of(run: Run) -> Path:
    return run.work_dir / "train.log"
