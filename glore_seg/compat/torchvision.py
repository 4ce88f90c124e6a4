"""``import torchvision`` where its compiled part does not load.

A torchvision built for CUDA beside a CPU torch cannot load its library, and then fails to describe
two operators that the library would have declared. Declaring them lets the rest of torchvision
(models, transforms) be imported; its operators still raise its own error when they are called.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

import torch

from glore_seg.compat.patch import CannotPatchError, Patch

_ERROR = "operator torchvision::nms does not exist"
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# A library's declarations last as long as the object does.
_declared: list[torch.library.Library] = []


def _library_loads() -> bool:
    """Loads torchvision's compiled part, as its import would do; a hundredth of that time."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    libraries = [
        path for path in Path(spec.origin).parent.glob("_C*") if path.suffix in (".so", ".pyd")
    ]
    try:
        for path in libraries:
            torch.ops.load_library(str(path))
    except OSError:
        return False
    return bool(libraries)


def _import() -> str:
    """Imports torchvision; the error's text where that fails, with nothing half-imported left."""
    try:
        importlib.import_module("torchvision")
    except (RuntimeError, ImportError, OSError) as error:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return str(error) or type(error).__name__
    return ""


def _not_needed() -> str:
    if "torchvision" in sys.modules:
        return "torchvision is imported"
    if _library_loads():
        return "torchvision's compiled part loads"
    error = _import()
    if not error:
        return "torchvision's import passes"
    if _ERROR not in error:
        raise CannotPatchError(f"import torchvision: {error}")
    return ""


def _apply() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    _declared.append(library)
    error = _import()
    if error:
        raise CannotPatchError(f"import torchvision, with its operators declared: {error}")


PATCH = Patch(
    name="torchvision",
    reason=f"a CUDA build of torchvision beside a CPU torch: {_ERROR}",
    upstream="torchvision",
    not_needed=_not_needed,
    apply=_apply,
)
