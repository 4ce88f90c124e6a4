"""``import mmaction.models`` with the wheel of mmaction2 1.2.0, which lacks a folder.

Its ``models/localizers/__init__.py`` imports ``drn``, which was left out of the wheel.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from glore_seg.compat.patch import Patch

_PACKAGE = "mmaction.models.localizers.drn"


class DRN:
    """Stand-in for mmaction2's dense regression network; building it raises ``ImportError``."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise ImportError(
            "mmaction's localizer 'DRN' was called, which is missing from this mmaction2's wheel; "
            "install mmaction2 from its source (https://github.com/open-mmlab/mmaction2) to use it",
            name=_PACKAGE,
        )


def lacks_drn(root: Path) -> bool:
    """Whether the mmaction in the folder ``root`` imports ``drn`` without having it."""
    localizers = root / "models" / "localizers"
    init = localizers / "__init__.py"
    if not init.is_file() or "from .drn" not in init.read_text(encoding="utf-8"):
        return False
    return not (localizers / "drn").exists() and not (localizers / "drn.py").exists()


def _not_needed() -> str:
    # By its files: importing mmaction takes seconds.
    spec = importlib.util.find_spec("mmaction")
    if spec is None or spec.origin is None:
        return "mmaction has no folder"
    return "" if lacks_drn(Path(spec.origin).parent) else "mmaction is whole"


def _apply() -> None:
    for name in (_PACKAGE, f"{_PACKAGE}.drn"):
        module = ModuleType(name, "Stand-in for a module that is missing from mmaction2's wheel.")
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=name == _PACKAGE)
        if name == _PACKAGE:
            module.__path__ = []
        module.DRN = DRN  # type: ignore[attr-defined]
        sys.modules[name] = module


PATCH = Patch(
    name="mmaction",
    reason=f"import mmaction.models of mmaction2 1.2.0: No module named {_PACKAGE!r}",
    upstream="mmaction",
    not_needed=_not_needed,
    apply=_apply,
)
