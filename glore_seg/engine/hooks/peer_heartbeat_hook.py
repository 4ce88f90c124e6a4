"""Several processes of which one is gone: the others say so and end, instead of waiting for it."""

import atexit
import os
import sys
import threading
import time
from typing import Any

import torch.distributed as dist
from mmengine.dist import barrier, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from glore_seg.errors import ConfigError

EXIT_CODE = os.EX_TEMPFAIL
"""Of a process whose peer is gone, 75: nothing is wrong here, to start again is the mend."""
_LEFT = 1 << 40  # more beats than any run has
_LOST = "glore_seg/lost"


@HOOKS.register_module()
class PeerHeartbeatHook(Hook):
    """Ends this process soon after another one has died, hangs as a whole, or is cut off.

    gloo notices most deaths by itself at the next message; NCCL, and any of them where a machine
    loses its current or its network, waits for minutes or for ever. Here every process counts up
    a number in the store that it was started with, and watches the next one's. The beats come
    from a thread, so that long validations and slow disks trip nothing.

    Args:
        after_s: Seconds without a sign of life after which a process is lost.

    Raises:
        ConfigError: ``after_s`` is not positive.
    """

    priority = "VERY_LOW"

    def __init__(self, *, after_s: float = 30.0) -> None:
        if after_s <= 0:
            raise ConfigError(
                f"after_s of PeerHeartbeatHook is {after_s}; expected seconds, above 0"
            )
        self._after_s = after_s
        self._watch: _Watch | None = None

    def before_run(self, runner: Runner) -> None:
        """Begin to watch."""
        if get_world_size() > 1:
            self._watch = _Watch(self._after_s)

    def after_run(self, runner: Runner) -> None:
        """Wait for the others, who may still write or score, and end the watch."""
        if self._watch is not None:
            barrier()
            self.leave()

    def leave(self) -> None:
        """Tell the others that this process is done, so that they don't miss it."""
        if self._watch is not None:
            self._watch.stop(done=True)


class _Watch:
    """Two threads: one counts up and listens, which can block; one judges by the clock."""

    def __init__(self, after_s: float) -> None:
        store = dist.distributed_c10d._get_default_store()
        # A main thread that waits in the store holds its lock. torch before 2.8 cannot clone one.
        self._store: Any = store.clone() if hasattr(store, "clone") else store
        self._rank, self._number = get_rank(), get_world_size()
        self._peer = (self._rank + 1) % self._number
        self._after_s = after_s
        self._pause_s = min(2.0, after_s / 10)
        self._ended = threading.Event()
        self._leaving = self._done = False
        self._store.set(_key(self._rank), "0")  # an earlier run of this process has left
        self._silent = 0  # looks of the judge since the last sign of life
        threading.Thread(target=self._judge, daemon=True).start()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        # Ahead of the interpreter's end, which such a thread could crash. A process that an error
        # ends is not done: the others shall notice.
        atexit.register(self.stop, done=False)

    def stop(self, *, done: bool) -> None:
        if not self._ended.is_set():
            self._done = done
            self._ended.set()
            self._beating.join(timeout=1)

    def _beat(self) -> None:
        last = -1
        while not self._leaving:
            ended = self._ended.is_set()
            try:
                self._store.add(_key(self._rank), _LEFT if ended and self._done else 1)
                heard = self._store.add(_key(self._peer), 0)
                told = self._store.get(_LOST) if self._store.check([_LOST]) else None
            except RuntimeError:
                return  # the store's own process is gone: no sign of life either
            if heard != last or heard >= _LEFT:
                last, self._silent = heard, 0
            if ended:
                return
            if told is not None:
                self._leave(told.decode())
            self._ended.wait(self._pause_s)

    def _judge(self) -> None:
        while not self._ended.wait(self._pause_s):
            # Counted, not timed: a job that was suspended as a whole has lost nobody.
            self._silent += 1
            if self._silent * self._pause_s >= self._after_s:
                self._leave(
                    f"process {self._peer} of {self._number} has given no sign of life for "
                    f"{self._after_s:g} s"
                )

    def _leave(self, lost: str) -> None:
        if self._leaving:
            return
        self._leaving = True
        # From a thread of its own: the store may be what was lost.
        telling = threading.Thread(target=self._store.set, args=(_LOST, lost), daemon=True)
        telling.start()
        telling.join(timeout=1)
        time.sleep(2 * self._pause_s)  # this process may be the one with the store
        text = f"\n{_what_to_do(lost)}\n".encode()
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, text)
        os._exit(EXIT_CODE)


def lost_connection(error: Exception) -> str | None:
    """What is left to say of an error that means that another process is gone; else None.

    Args:
        error: Any; torch raises gloo's as plain ones.
    """
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return None
    if not isinstance(error, RuntimeError):
        return None
    if not (isinstance(error, dist.DistError) or "gloo/" in str(error)):
        return None
    reason = str(error).strip().splitlines()[0].split("] ", 1)[-1].split(". ")[0]
    return _what_to_do(
        f"process {dist.get_rank()} of {dist.get_world_size()} has lost another one ({reason})"
    )


def _what_to_do(lost: str) -> str:
    return f"error: {lost}: leaving; the lost one's own output says why. Go on with --resume"


def _key(rank: int) -> str:
    return f"glore_seg/beat/{rank}"
