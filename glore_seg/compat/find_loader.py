"""mmengine and mmcv look for compiled operators by ``pkgutil.find_loader``, gone in Python 3.14.

The functions are ``mmcv_full_available`` (every optimizer with ``paramwise_cfg`` asks it) and
``check_ops_exist``.
"""

import importlib
import importlib.util
import pkgutil
from types import SimpleNamespace
from typing import Any

from glore_seg.compat.patch import Patch

_CALLERS = ("mmengine.utils.dl_utils.misc", "mmcv.utils.ext_loader")


def _callers() -> list[Any]:
    modules = map(importlib.import_module, _CALLERS)
    return [module for module in modules if getattr(module, "pkgutil", None) is pkgutil]


def _not_needed() -> str:
    if hasattr(pkgutil, "find_loader"):
        return "pkgutil has find_loader"
    return "" if _callers() else "mmengine and mmcv do not use it"


def _apply() -> None:
    for module in _callers():
        module.pkgutil = SimpleNamespace(find_loader=importlib.util.find_spec)


PATCH = Patch(
    name="find_loader",
    reason="Python >= 3.14: module 'pkgutil' has no attribute 'find_loader'",
    upstream="mmcv",
    not_needed=_not_needed,
    apply=_apply,
)
