"""Map a function over items in several processes, which end with the process that started them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, parent_process
from typing import TypeVar

from glore_seg.errors import ConfigError, GloReSegError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], num_workers: int, *, chunksize: int
) -> Iterator[Result]:
    """Yield ``work(item)`` for each item, in order; ``work`` can be pickled.

    One worker is this process. After an error or an interruption no further item is started.

    Raises:
        ConfigError: ``num_workers`` is less than 1.
        GloReSegError: A process died.
    """
    if num_workers < 1:
        raise ConfigError(f"num_workers is {num_workers}; expected at least 1")
    if num_workers == 1 or len(items) < 2:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(num_workers, initializer=_follow_parent) as pool:
        try:
            yield from pool.map(work, items, chunksize=chunksize)
        except BrokenProcessPool as error:
            raise GloReSegError(
                f"one of {num_workers} worker processes died, usually for lack of memory: use "
                "fewer processes, then repeat the command"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _follow_parent() -> None:
    """End this worker with the process that started it, and leave Ctrl-C to that process.

    Otherwise the worker of a killed process waits for work forever and keeps inherited locks.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
