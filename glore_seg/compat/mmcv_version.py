"""``import mmseg`` and ``import mmaction`` with mmcv 2.2, which they refuse by its number alone.

mmcv 2.2 differs from 2.1 by operators for further devices; mmsegmentation 1.2 and mmaction2 1.2,
released before it, assert a version below 2.2.0.
"""

import importlib

from glore_seg.compat.patch import Patch, is_importable

_PACKAGES = ("mmseg", "mmaction")
_FIRST_REFUSED = (2, 2)
_LAST_TRIED = (2, 2)
_SHOWN = "2.1.0"


def _not_needed() -> str:
    import mmcv

    version = tuple(mmcv.version_info[:2])
    if not _FIRST_REFUSED <= version <= _LAST_TRIED:
        return f"mmcv is {mmcv.__version__}"
    return ""


def _apply() -> None:
    import mmcv

    true = mmcv.__version__
    mmcv.__version__ = _SHOWN
    try:
        for package in _PACKAGES:
            if is_importable(package):
                importlib.import_module(package)
    finally:
        mmcv.__version__ = true


PATCH = Patch(
    name="mmcv_version",
    reason="import mmseg 1.2 and mmaction2 1.2: AssertionError: MMCV==2.2.0 is used but "
    "incompatible",
    upstream="mmcv",
    not_needed=_not_needed,
    apply=_apply,
)
