"""What a process uses, by Linux's /proc and the C library."""

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def usage_of(pid: int) -> dict[str, float]:
    """What a process uses now, from the outside.

    Returns:
        ``memory``: MB of it and its descendants, shared pages counted once (PSS);
        ``handles`` and ``threads`` of its own; ``children``: number of its descendants.
    """
    descendants = list(_descendants(pid))
    kilobytes = _pss(pid) + sum(map(_pss, descendants))
    return {
        "memory": kilobytes / 1e3,
        "handles": len(os.listdir(_PROC / str(pid) / "fd")),
        "threads": len(os.listdir(_PROC / str(pid) / "task")),
        "children": len(descendants),
    }


def in_use() -> dict[str, float]:
    """What this process has asked for and not given back.

    Memory that the C library keeps for later (arenas, gaps between blocks) is in ``memory`` but not
    here: what grows there alone is no leak.

    Returns:
        ``malloc``: MB in blocks of the C library, of tensors and arrays too; ``objects``:
        thousands of blocks of Python's own allocator.
    """
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


def _pss(pid: int) -> int:
    """Kilobytes; 0 of a process that has just ended."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(s.split()[1]) for s in text.splitlines() if s.startswith("Pss:")), 0)


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
