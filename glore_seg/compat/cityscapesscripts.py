"""cityscapesScripts calls ``numpy.in1d``, which NumPy 2.4 dropped.

All its modules take ``np`` from ``csHelpers``: there it becomes a copy of NumPy's namespace with an
``in1d``. NumPy itself stays as it is.
"""

import sys
from types import ModuleType
from typing import Literal

import numpy as np
import numpy.typing as npt

from glore_seg.compat.patch import Patch


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


def _not_needed() -> str:
    return f"NumPy {np.__version__} has in1d" if hasattr(np, "in1d") else ""


def _apply() -> None:
    with_in1d = ModuleType("numpy")
    vars(with_in1d).update(vars(np), in1d=in1d)
    # csHelpers, and what was imported before this package and has NumPy from there.
    for name, module in list(sys.modules.items()):
        if name.startswith("cityscapesscripts.") and getattr(module, "np", None) is np:
            module.np = with_in1d  # type: ignore[attr-defined]


PATCH = Patch(
    name="cityscapesScripts",
    reason="scoring, also by mmseg's CityscapesMetric, with NumPy >= 2.4, which has no in1d",
    upstream="cityscapesscripts",
    not_needed=_not_needed,
    apply=_apply,
    module="cityscapesscripts.helpers.csHelpers",
)
