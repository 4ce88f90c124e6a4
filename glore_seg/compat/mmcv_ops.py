"""``import mmcv.ops`` on an mmcv without compiled operators (mmcv-lite).

mmsegmentation imports ``mmcv.ops`` for parts that are plain torch, such as ``point_sample``. A
stand-in for the compiled module lets that import pass; an operator that does need compiled code
says so when it is called.
"""

import importlib
import importlib.machinery
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from glore_seg.compat.patch import Patch
from glore_seg.compat.upstream import BUILD_MMCV

_EXTENSION = "mmcv._ext"
_UNGUARDED_IMPORT = re.compile(r"^(from|import) mmcv\.ops\b", re.MULTILINE)


class MissingExtension(ModuleType):
    """Has every operator's name; calling one raises ``ModuleNotFoundError``."""

    def __init__(self) -> None:
        super().__init__(_EXTENSION, "Stand-in for mmcv's compiled operators.")
        self.__spec__ = importlib.machinery.ModuleSpec(_EXTENSION, None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{_EXTENSION} has no attribute {name!r}")

        def missing(*_: Any, **__: Any) -> NoReturn:
            # This type, because upstream's own fallbacks (environment report, mmaction's
            # heads) catch it.
            raise ModuleNotFoundError(
                f"mmcv's operator {name!r} was called. It needs compiled operators, which the "
                f"installed mmcv does not have (mmcv-lite): use a config without it, or "
                f"{BUILD_MMCV}",
                name=_EXTENSION,
            )

        missing.__name__ = missing.__qualname__ = name
        return missing


def imports_ops_unguarded(root: Path) -> bool:
    """Whether a source file under ``root`` imports ``mmcv.ops`` at top level, outside a ``try``."""
    return any(
        _UNGUARDED_IMPORT.search(path.read_text(encoding="utf-8", errors="replace"))
        for path in sorted(root.rglob("*.py"))
    )


def _not_needed() -> str:
    if importlib.util.find_spec(_EXTENSION) is not None:
        return "mmcv has compiled operators"
    spec = importlib.util.find_spec("mmseg")
    if spec is None or spec.origin is None:
        return "mmsegmentation is not installed"
    root = Path(spec.origin).parent
    if not any(imports_ops_unguarded(root / part) for part in ("models", "utils")):
        return "this mmsegmentation does without mmcv.ops"
    return ""


def _apply() -> None:
    sys.modules[_EXTENSION] = MissingExtension()
    try:
        importlib.import_module("mmcv.ops")
    finally:
        # Left in, mmengine's mmcv_full_available() would fail or answer True.
        del sys.modules[_EXTENSION]


PATCH = Patch(
    name="mmcv.ops",
    reason="import mmseg.models on mmcv-lite: No module named 'mmcv._ext'",
    upstream="mmcv",
    not_needed=_not_needed,
    apply=_apply,
)
