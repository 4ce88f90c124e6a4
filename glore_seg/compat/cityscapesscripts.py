"""cityscapesScripts calls ``numpy.in1d``, which NumPy 2.4 dropped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import numpy.typing as npt

from glore_seg.compat.patch import Patch

_lock = threading.Lock()
_inside = 0


def in1d(
    ar1: npt.ArrayLike,
    ar2: npt.ArrayLike,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Literal["sort", "table"] | None = None,
) -> np.ndarray:
    """For each element of the flattened first array, whether it occurs in the second."""
    flat = np.ravel(ar1)
    return np.isin(flat, ar2, assume_unique=assume_unique, invert=invert, kind=kind)


@contextmanager
def cityscapesscripts_numpy() -> Iterator[None]:
    """Gives NumPy an ``in1d`` while cityscapesScripts is called, and takes it away afterwards.

    Does nothing where NumPy has it. May be nested and entered from several threads. A worker
    process has to enter it itself.

    Example:
        >>> import numpy as np
        >>> with cityscapesscripts_numpy():
        ...     np.in1d([[7, 8]], [8]).tolist()
        [False, True]
    """
    global _inside
    with _lock:
        ours = getattr(np, "in1d", in1d) is in1d
        if ours:
            np.in1d = in1d  # type: ignore[attr-defined]
            _inside += 1
    try:
        yield
    finally:
        if ours:
            with _lock:
                _inside -= 1
                if _inside == 0:
                    del np.in1d  # type: ignore[attr-defined]


def _not_needed() -> str:
    return f"NumPy {np.__version__} has in1d" if hasattr(np, "in1d") else ""


def _apply() -> None:
    """Nothing for the whole process: the callers enter ``cityscapesscripts_numpy``."""


PATCH = Patch(
    name="cityscapesScripts",
    reason="scoring with NumPy >= 2.4, which has no in1d; only inside cityscapesscripts_numpy()",
    upstream="cityscapesscripts",
    not_needed=_not_needed,
    apply=_apply,
)
