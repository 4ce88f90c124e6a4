"""A hook that ends a process soon after another process of the training is gone."""

import atexit
import os
import threading
from typing import Any

import torch.distributed as dist
from mmengine.dist import barrier, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from glore_seg.engine.stop_signals import print_at_once
from glore_seg.errors import ConfigError

EXIT_CODE = 75  # os.EX_TEMPFAIL, which Windows lacks
"""Exit code of a process that has lost another one, 75: start the training again."""
_DONE = 1 << 40  # more beats than any run has


@HOOKS.register_module()
class PeerHeartbeatHook(Hook):
    """Ends this process when another one has died, hangs, or is cut off.

    gloo notices most deaths at the next message. NCCL, and gloo where a machine loses power or its
    network, may wait forever. With this hook, each process increments its number in the store that
    the process group was started with, and watches the numbers of all. A thread does it, so long
    validations and slow disks do not matter.

    Args:
        after_s: Seconds without a heartbeat after which a process is lost, above 0.

    Raises:
        ConfigError: ``after_s`` is out of range.
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
        """Start to watch."""
        if get_world_size() > 1:
            self._watch = _Watch(self._after_s)

    def after_run(self, runner: Runner) -> None:
        """Wait for the others, which may still write or evaluate, and end the watch."""
        if self._watch is not None:
            barrier()
            self.leave()

    def leave(self) -> None:
        """Tell the others that this process is done, so that they do not miss it."""
        if self._watch is not None:
            self._watch.stop(done=True)


class _Watch:
    """Two threads: one beats and listens, and may block on the store; one counts the silence."""

    def __init__(self, after_s: float) -> None:
        store = dist.distributed_c10d._get_default_store()
        # A main thread that waits in the store holds its lock. torch before 2.8 cannot clone one.
        self._store: Any = store.clone() if hasattr(store, "clone") else store
        self._keys = [f"glore_seg/beat/{rank}" for rank in range(get_world_size())]
        self._own_key = self._keys[get_rank()]
        self._after_s = after_s
        self._pause_s = min(2.0, after_s / 10)
        self._silence = [0] * len(self._keys)  # pauses since the last beat of each process
        self._ended = threading.Event()
        self._done = False
        self._store.set(self._own_key, "0")  # an earlier run of this process was done
        barrier()  # all have a key
        threading.Thread(target=self._count, daemon=True).start()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        # Before the interpreter's cleanup, which such a thread could crash. A process that ends
        # with an error is not done: the others shall notice.
        atexit.register(self.stop, done=False)

    def stop(self, *, done: bool) -> None:
        if not self._ended.is_set():
            self._done = done
            self._ended.set()
            self._beating.join(timeout=1)

    def _beat(self) -> None:
        last = [-1] * len(self._keys)
        while True:
            ended = self._ended.is_set()
            try:
                self._store.add(self._own_key, _DONE if ended and self._done else 1)
                beats = [int(beat) for beat in self._store.multi_get(self._keys)]
            except RuntimeError:
                return  # the process with the store is gone: silence
            if ended:
                return
            for rank, beat in enumerate(beats):
                if beat != last[rank] or beat >= _DONE:
                    self._silence[rank] = 0
            last = beats
            self._ended.wait(self._pause_s)

    def _count(self) -> None:
        while not self._ended.wait(self._pause_s):
            # Counted, not timed: a job that is suspended as a whole has lost nobody.
            self._silence = [count + 1 for count in self._silence]
            most = max(self._silence)
            if most * self._pause_s >= self._after_s:
                print_at_once(
                    _message(
                        f"process {self._silence.index(most)} of {len(self._keys)} has given no "
                        f"sign of life for {self._after_s:g} s"
                    )
                )
                os._exit(EXIT_CODE)


def lost_peer(error: RuntimeError) -> str | None:
    """The message for an error that means that another process is gone; None for other errors."""
    # torch has no class for the errors of gloo
    if get_world_size() == 1 or not (isinstance(error, dist.DistError) or "gloo/" in str(error)):
        return None
    reason = str(error).strip().splitlines()[0].split("] ", 1)[-1].split(". ")[0]
    return _message(f"process {get_rank()} of {get_world_size()} has lost another one ({reason})")


def _message(lost: str) -> str:
    return f"error: {lost}: exiting; the output of the lost process says why. Go on with --resume"
