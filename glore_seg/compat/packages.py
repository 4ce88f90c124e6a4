"""mmengine's package look-ups without ``pkg_resources``, which setuptools 82 dropped.

``_base_ = 'mmseg::...'`` in a config goes through them, as a question for the distribution
``mmsegmentation``. Where a fork stands in under another name, its module is looked for instead.
"""

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from packaging.utils import canonicalize_name

from glore_seg.compat.patch import Patch, is_importable


def is_installed(package: str) -> bool:
    """Whether a package is installed, asked by distribution or by module name."""
    if _distribution(package) is not None:
        return True
    spec = importlib.util.find_spec(_module_of(package))
    return spec is not None and spec.origin is not None


def get_installed_path(package: str) -> str:
    """Folder of an installed package, an editable one included.

    Args:
        package: Name as in ``pip install`` or as in ``import``.

    Raises:
        importlib.metadata.PackageNotFoundError: If nothing of that name is installed, or if it is
            a namespace package, which has no folder of its own.
    """
    spec = importlib.util.find_spec(_module_of(package))
    if spec is None or spec.origin is None:
        raise importlib.metadata.PackageNotFoundError(package)
    return str(Path(spec.origin).parent)


def package2module(package: str) -> str:
    """Import name of a distribution, as in ``mmcv-lite`` to ``mmcv``.

    Raises:
        importlib.metadata.PackageNotFoundError: If the distribution is not installed.
    """
    importlib.metadata.distribution(package)
    return _module_of(package)


def _distribution(package: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _module_of(package: str) -> str:
    """Import name of a distribution; any other name as it is."""
    names = importlib.import_module("mmengine.config.utils").MODULE2PACKAGE
    known = next((module for module, name in names.items() if name == package), None)
    if known is not None or is_importable(package):
        return known or package
    modules = importlib.metadata.packages_distributions()
    wanted = canonicalize_name(package)
    found = [one for one, names in modules.items() if wanted in map(canonicalize_name, names)]
    # a wheel may bring tests beside its module, which other wheels bring too
    return min(found, key=lambda module: len(modules[module]), default=package)


def replace_everywhere(old: Callable, new: Callable) -> None:
    """Sets ``new`` in every imported module that holds ``old`` under its own name."""
    name = old.__name__
    for module in list(sys.modules.values()):
        # Through the dictionary: getattr would wake lazily loaded modules.
        if getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)


def _not_needed() -> str:
    whole = is_importable("pkg_resources") and _distribution("mmsegmentation") is not None
    return "setuptools still has pkg_resources" if whole else ""


def _apply() -> None:
    from mmengine.utils import package_utils

    for new in (is_installed, get_installed_path, package2module):
        replace_everywhere(getattr(package_utils, new.__name__), new)


PATCH = Patch(
    name="packages",
    reason="configs with _base_ = 'mmseg::...' where setuptools >= 82 has no pkg_resources, or "
    "where a fork of mmsegmentation has another distribution name",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply,
)
