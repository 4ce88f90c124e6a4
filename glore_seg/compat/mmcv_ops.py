"""``import mmcv.ops`` on an mmcv without compiled operators (mmcv-lite).

mmsegmentation imports ``mmcv.ops`` for parts that are plain torch, such as ``point_sample``. A
stand-in for the compiled module lets that import pass; an operator that does need compiled code
says so when it is called.
"""

import importlib
import importlib.util
from typing import Any, NoReturn

from glore_seg.compat.patch import Patch
from glore_seg.compat.upstream import BUILD_MMCV

_EXTENSION = "mmcv._ext"


class MissingExtension:
    """Has every operator's name; calling one raises ``ModuleNotFoundError``."""

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


def _not_needed() -> str:
    has_operators = importlib.util.find_spec(_EXTENSION) is not None
    return "mmcv has compiled operators" if has_operators else ""


def _apply() -> None:
    loader: Any = importlib.import_module("mmcv.utils.ext_loader")
    load_ext = loader.load_ext

    def load_or_stand_in(name: str, funcs: list[str]) -> Any:
        return MissingExtension() if f"mmcv.{name}" == _EXTENSION else load_ext(name, funcs)

    loader.load_ext = load_or_stand_in


PATCH = Patch(
    name="mmcv.ops",
    reason="import mmseg.models on mmcv-lite: No module named 'mmcv._ext'",
    upstream="mmcv",
    not_needed=_not_needed,
    apply=_apply,
)
