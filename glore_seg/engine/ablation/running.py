"""Runs trainings as processes of their own, some at a time, and shows how far they are."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from glore_seg.engine.ablation.board import Board
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
    """Train what is not trained yet; a half run goes on from its newest whole checkpoint.

    Each run writes ``train.log`` into its work folder. After one that fails the others go on. Where
    this is interrupted, by SIGINT or SIGTERM, it ends the trainings that it began; they save first.

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
        BlockingIOError: A run is being trained by another process.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; expected 1 or more")
    waiting = [run for run in runs if not run.finished()]
    free: list[int | None] = list(gpus) if gpus else [None] * jobs
    live: list[tuple[Run, int | None, subprocess.Popen]] = []
    failed: list[tuple[Run, int]] = []
    board = Board(runs)
    before = signal.signal(signal.SIGTERM, _leave)
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
                board.look_at(run)
                if code is None:
                    continue
                live.remove(entry)
                free.append(gpu)
                if code == 0 and run.finished():
                    board.say(f"{run.name} is done")
                else:
                    failed.append((run, code))
                    board.give_up(run)
                    board.say(f"{run.name} failed with exit code {code}")
    finally:
        for _, _, process in live:
            process.terminate()
        for _, _, process in live:
            process.wait()
        board.close()
        signal.signal(signal.SIGTERM, before)
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
    if any(run.work_dir.glob("*.pth")):
        # the newest whole one; without any, hooks of the config's own would forget its load_from
        command.append("--resume")
    command += ["--cfg-options", f"randomness.seed={run.seed}"]
    environment = dict(os.environ)
    if gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = str(gpu)
    with _log_of(run).open("a") as log:
        # The training inherits the lock with the file and holds it while it lives, even where the
        # process that started it was killed.
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"another process is training in {run.work_dir}: wait until it has ended, or end it"
            ) from error
        return subprocess.Popen(  # noqa: S603  a list, our own interpreter and tool
            command, stdout=log, stderr=subprocess.STDOUT, env=environment
        )


def _leave(signum: int, frame: object) -> None:
    """What a scheduler ends goes the way of an interrupt; else the trainings would live on."""
    raise SystemExit(128 + signum)


def _log_of(run: Run) -> Path:
    return run.work_dir / "train.log"


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
