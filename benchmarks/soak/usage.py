"""Resources of a process, from Linux's /proc and the C library."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def usage_of(pid: int) -> dict[str, float]:
    """Current resources of another process.

    Returns:
        ``memory``: MB of it and its descendants; shared pages count once, mapped files not at all,
        since their share depends on other processes; its ``handles`` and ``threads``; ``children``:
        number of its descendants.
    """
    descendants = list(_descendants(pid))
    kilobytes = _own(pid) + sum(map(_own, descendants))
    return {
        "memory": kilobytes / 1e3,
        "handles": len(os.listdir(_PROC / str(pid) / "fd")),
        "threads": len(os.listdir(_PROC / str(pid) / "task")),
        "children": len(descendants),
    }


def in_use() -> dict[str, float]:
    """Memory that this process has allocated and not freed, after a garbage collection.

    Memory that the C library keeps for later (arenas, fragmentation) is in ``memory`` but not here:
    if only that grows, it is no leak.

    Returns:
        ``malloc``: MB in blocks of the C library, including tensors and arrays; ``objects``:
        thousands of blocks of Python's allocator.
    """
    gc.collect()
    info = ctypes.CDLL(None).mallinfo2
    info.restype = _MallInfo
    found = info()
    return {
        "malloc": (found.uordblks + found.hblkhd) / 1e6,
        "objects": sys.getallocatedblocks() / 1e3,
    }


class _MallInfo(ctypes.Structure):
    """``struct mallinfo2`` of malloc.h."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks")),
        ("keepcost", ctypes.c_size_t),
    ]


def _own(pid: int) -> int:
    """Kilobytes of memory that is not of files; 0 if the process has exited."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(s.split()[1]) for s in lines if s.startswith(("Pss_Anon:", "Pss_Shmem:")))


def _descendants(pid: int) -> Iterator[int]:
    parents: dict[int, list[int]] = {}
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        # the name, in parentheses, may contain anything
        parent = int(text.rpartition(")")[2].split()[1])
        parents.setdefault(parent, []).append(int(stat.parent.name))
    waiting = parents.get(pid, [])
    while waiting:
        child = waiting.pop()
        yield child
        waiting += parents.get(child, [])
