"""What a process uses, by Linux's /proc and the C library."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def usage_of(pid: int) -> dict[str, float]:
    """What a process uses now, from the outside.

    Returns:
        ``memory``: MB of it and its descendants, pages that they share counted once, files that are
        mapped not at all: how much of them counts depends on which other processes map them;
        ``handles`` and ``threads`` of its own; ``children``: number of its descendants.
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
    """What this process has asked for and not given back, once garbage is collected.

    Python lets objects that know each other lie about until they are a quarter of all. Memory that
    the C library keeps for later (arenas, gaps between blocks) is in ``memory`` but not here: what
    grows there alone is no leak.

    Returns:
        ``malloc``: MB in blocks of the C library, of tensors and arrays too; ``objects``:
        thousands of blocks of Python's own allocator.
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
    """As malloc.h has it."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks")),
        ("keepcost", ctypes.c_size_t),
    ]


def _own(pid: int) -> int:
    """Kilobytes of memory that is no file; 0 of a process that has just ended."""
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
        # the name, in brackets, may hold anything
        parent = int(text.rpartition(")")[2].split()[1])
        parents.setdefault(parent, []).append(int(stat.parent.name))
    waiting = parents.get(pid, [])
    while waiting:
        child = waiting.pop()
        yield child
        waiting += parents.get(child, [])
