"""Work on many items in several processes, which end with the one that started them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, parent_process
from typing import TypeVar

from glore_seg.errors import GloReSegError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], num_workers: int, *, chunksize: int
) -> Iterator[Result]:
    """Yield what ``work`` makes of each item, in order.

    An error or an interruption stops the processes before it is passed on.

    Args:
        work: A function that can be pickled.
        items: What to work on.
        num_workers: Processes at work; with 1 it is done in this one.
        chunksize: Items that a process takes at once, at least 1.

    Yields:
        The results.

    Raises:
        GloReSegError: A process died.
    """
    if num_workers == 1 or len(items) < 2:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(num_workers, initializer=_follow_parent) as pool:
        try:
            yield from pool.map(work, items, chunksize=chunksize)
        except BrokenProcessPool as error:
            raise GloReSegError(
                f"one of {num_workers} processes at work died. A kill comes from too little memory "
                "as a rule: use fewer processes, then repeat the command, which goes on from here"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _follow_parent() -> None:
    """Make this worker end with the process that started it, and not by itself.

    When that one is killed, a worker would wait for work forever, with what it inherited, such as a
    lock. Ctrl-C reaches all of them at once, and the process that started them ends the work.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
