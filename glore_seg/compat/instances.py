"""The lock of mmengine's instances with names.

``ManagerMixin`` holds one lock for all of them, and keeps it when making an instance fails, say
over a wrong value of a config. Every other thread that asks for a scope or a logger then waits for
ever.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from mmengine.utils import manager

from glore_seg.compat.patch import Patch

_NAMES = ("get_instance", "get_current_instance")


def _not_needed() -> str:
    written = inspect.getsource(manager.ManagerMixin.get_instance)
    takes = "_accquire_lock()" in written
    return "" if takes and "finally" not in written else "upstream gives its lock back"


def _apply() -> None:
    for name in _NAMES:
        taken = getattr(manager.ManagerMixin, name).__func__
        setattr(manager.ManagerMixin, name, classmethod(_giving_back(taken)))


def _giving_back(taken: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(taken)

    @functools.wraps(taken)
    def giving_back(*args: Any, **kwargs: Any) -> Any:
        signature.bind(*args, **kwargs)  # wrong arguments fail before the lock is taken
        try:
            return taken(*args, **kwargs)
        except BaseException:
            manager._release_lock()
            raise

    return giving_back


PATCH = Patch(
    name="lock of instances",
    reason="threads wait for ever after a scope, logger or visualizer that could not be made",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply,
)
