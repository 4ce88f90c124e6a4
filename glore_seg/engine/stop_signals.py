"""Signals that stop a training: noted, obeyed between two iterations, ignored by data workers."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from mmengine.dist import get_world_size

from glore_seg.errors import ConfigError

STOPPING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR1") if hasattr(signal, name)
)
"""Signals that stop a training; Windows has no SIGUSR1."""
_AGAIN_S = 1.0  # launchers send the same signal twice within moments


class TrainingStopped(SystemExit):
    """The training ended early and can be resumed.

    Args:
        code: Exit code of the process. After a signal 128 + its number, as in shells: 143 for
            SIGTERM, 130 for SIGINT, 138 for SIGUSR1.
        message: What happened and how to go on.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StopSignals:
    """Notes SIGTERM, SIGINT and SIGUSR1 within its context, in the main thread.

    A second Ctrl-C exits at once. ``grace_s`` seconds, above 0, after the first signal the process
    exits without saving.
    """

    def __init__(self, grace_s: float) -> None:
        if grace_s <= 0:
            raise ConfigError(f"grace_s is {grace_s}; expected seconds, above 0")
        self._grace_s = grace_s
        self._old: dict[int, Any] = {}
        self._timer: threading.Timer | None = None
        self._received_at = 0.0
        self._group: Any = None
        self.received = 0
        """Number of the first signal; 0 for none."""

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._old = {number: signal.signal(number, self._note) for number in STOPPING}
        if get_world_size() > 1 and dist.get_backend() != "gloo":
            self._group = dist.new_group(backend="gloo")  # does not wait for the device
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def agreed(self) -> int:
        """The signal that any process has received, the same in all of them; 0 for none.

        All processes must call it at the same iteration.
        """
        if get_world_size() == 1:
            return self.received
        number = torch.tensor(self.received)
        dist.all_reduce(number, dist.ReduceOp.MAX, group=self._group)
        return int(number)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        again = time.monotonic() - self._received_at > _AGAIN_S
        if self.received == signum == signal.SIGINT and again:
            print_at_once("second Ctrl-C: exiting without saving")
            os._exit(128 + signum)
        if self.received:
            return
        self.received, self._received_at = signum, time.monotonic()
        print_at_once(
            f"{signal.Signals(signum).name} received: saving after this iteration, within "
            f"{self._grace_s:g} s"
        )
        self._timer = threading.Timer(self._grace_s, self._exit)
        self._timer.daemon = True
        self._timer.start()

    def _exit(self) -> None:
        print_at_once(
            f"not saved within {self._grace_s:g} s of the signal: exiting; --resume goes on from "
            "the last checkpoint. train_cfg.grace_s sets the time"
        )
        os._exit(128 + self.received)


def print_at_once(text: str) -> None:
    """Print a line to standard error from a signal handler or a thread.

    ``print`` and logging may hold a lock in the code that was interrupted.
    """
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{text}\n".encode())


def shield_worker(init: Callable[[int], None] | None, worker_id: int) -> None:
    """Let a data worker survive Ctrl-C, Slurm's signals and SIGTERM to all processes.

    The training needs its workers until it has saved. They end with the loader that started them.
    Without ``sigwaitinfo`` (macOS, Windows) SIGTERM ends them as usual.
    ``init`` is the loader's own ``worker_init_fn``.
    """
    for number in STOPPING:
        if number != signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_exit_with_loader, args=(os.getppid(),), daemon=True).start()
    if init is not None:
        init(worker_id)


def _exit_with_loader(loader: int) -> None:
    """Obey SIGTERM from the loader's process only."""
    while True:
        if signal.sigwaitinfo({signal.SIGTERM}).si_pid == loader:
            os._exit(0)
