"""``import torchvision`` where its compiled part does not load.

A torchvision built for CUDA beside a CPU torch cannot load its library, and then fails to describe
two operators that the library would have declared. Declaring them lets the rest of torchvision
(models, transforms) be imported; its operators still raise its own error when they are called.
"""

import importlib.util
import sys
from pathlib import Path

import torch

from glore_seg.compat.patch import Patch

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


def _not_needed() -> str:
    if "torchvision" in sys.modules:
        return "torchvision is imported"
    return "torchvision's compiled part loads" if _library_loads() else ""


def _apply() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    _declared.append(library)


PATCH = Patch(
    name="torchvision",
    reason="a CUDA build of torchvision beside a CPU torch: operator torchvision::nms does not "
    "exist",
    upstream="torchvision",
    not_needed=_not_needed,
    apply=_apply,
)
