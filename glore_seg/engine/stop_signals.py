"""Signals that ask a training to stop, noted until a safe moment comes."""

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist

from glore_seg.errors import ConfigError

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
_AGAIN_S = 1.0  # launchers send the same signal twice within moments


class TrainingStopped(SystemExit):
    """A signal has ended the training; everything that is needed to go on has been saved.

    Ends the process with 128 + the signal's number, as shells count: 143 after SIGTERM, 130 after
    SIGINT, 138 after SIGUSR1.

    Args:
        signum: The signal.
        message: What happened and how to go on.
    """

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(128 + signum)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StopSignals:
    """Notes SIGTERM, SIGINT and SIGUSR1 while it is entered, in the main thread.

    A second Ctrl-C leaves at once. When the period of grace is over, the process ends without
    saving; what was saved before is whole.

    Args:
        grace_s: Seconds from the first signal until the process ends in any case.
    """

    def __init__(self, grace_s: float) -> None:
        if grace_s <= 0:
            raise ConfigError(f"grace_s is {grace_s}; expected seconds, more than 0")
        self._grace_s = grace_s
        self._old: dict[int, Any] = {}
        self._timer: threading.Timer | None = None
        self._noted_at = 0.0
        self._group: Any = None
        self.received = 0

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._old = {number: signal.signal(number, self._note) for number in STOPPING}
        if _world_size() > 1 and dist.get_backend() != "gloo":
            self._group = dist.new_group(backend="gloo")  # asks without waiting for the device
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def agreed(self) -> int:
        """The signal that any process has received, the same answer in all of them; 0 for none.

        All processes must ask at the same iteration.
        """
        if _world_size() == 1:
            return self.received
        number = torch.tensor(self.received)
        dist.all_reduce(number, dist.ReduceOp.MAX, group=self._group)
        return int(number)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        again = time.monotonic() - self._noted_at > _AGAIN_S
        if self.received == signum == signal.SIGINT and again:
            _say("second Ctrl-C: leaving at once, without saving")
            os._exit(128 + signum)
        if self.received:
            return
        self.received, self._noted_at = signum, time.monotonic()
        _say(
            f"{signal.Signals(signum).name} received: saving after this iteration, within "
            f"{self._grace_s:g} s"
        )
        self._timer = threading.Timer(self._grace_s, self._leave)
        self._timer.daemon = True
        self._timer.start()

    def _leave(self) -> None:
        _say(
            f"not saved within {self._grace_s:g} s of the signal: leaving; --resume goes on from "
            "the last checkpoint. Longer: train_cfg.grace_s"
        )
        os._exit(128 + self.received)


def _world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _say(text: str) -> None:
    # print and logging may be in use by what the signal interrupted
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{text}\n".encode())
