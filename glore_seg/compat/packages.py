"""mmengine's package look-ups without ``pkg_resources``, which setuptools 82 dropped.

``_base_ = 'mmseg::...'`` in a config goes through them, as a question for the distribution
``mmsegmentation``. Where a fork stands in under another name, its module is looked for instead.
"""

import csv
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from glore_seg.compat.patch import Patch, is_importable


def is_installed(package: str) -> bool:
    """Whether a package is installed, asked by distribution or by module name.

    Args:
        package: Name as in ``pip install`` or as in ``import``.
    """
    if _distribution(package) is not None:
        return True
    spec = importlib.util.find_spec(_module_of(package))
    return spec is not None and spec.origin is not None


def get_installed_path(package: str) -> str:
    """Folder of an installed package, an editable one included.

    Args:
        package: Name as in ``pip install`` or as in ``import``.

    Raises:
        importlib.metadata.PackageNotFoundError: If nothing of that name is installed.
        RuntimeError: If it is a namespace package, which has no folder of its own.
    """
    module = _module_of(package)
    distribution = _distribution(package)
    if distribution is not None:
        path = Path(str(distribution.locate_file(package)))
        if path.exists():
            return str(path)
        module = package2module(package)
        path = Path(str(distribution.locate_file(module)))
        if path.exists():
            return str(path)

    spec = importlib.util.find_spec(module)
    if spec is None:
        raise importlib.metadata.PackageNotFoundError(package)
    if spec.origin is None:
        raise RuntimeError(
            f"{package!r} is a namespace package and has no folder of its own; expected a package "
            "with an __init__.py"
        )
    return str(Path(spec.origin).parent)


def package2module(package: str) -> str:
    """Import name of a distribution, as in ``mmcv-lite`` to ``mmcv``.

    Args:
        package: Name as in ``pip install``.

    Raises:
        importlib.metadata.PackageNotFoundError: If the distribution is not installed.
        ValueError: If its metadata do not say what it installs.
    """
    distribution = importlib.metadata.distribution(package)
    top_level = (distribution.read_text("top_level.txt") or "").split()
    if top_level:
        return top_level[0]
    # Wheels that were not built by setuptools have no top_level.txt. As text, since `files` leaves
    # out what is not there where the backport importlib_metadata was imported.
    for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        file = PurePosixPath(row[0])
        if len(file.parts) == 2 and file.name == "__init__.py":
            return file.parts[0]
    raise ValueError(
        f"cannot infer the module name of {package!r}: its metadata have neither top_level.txt nor "
        "a top-level package; ask by its import name"
    )


def _distribution(package: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _module_of(package: str) -> str:
    """Import name of an OpenMMLab distribution; any other name as it is."""
    names = importlib.import_module("mmengine.config.utils").MODULE2PACKAGE
    return next((module for module, name in names.items() if name == package), package)


def replace_everywhere(old: Callable, new: Callable) -> None:
    """Sets ``new`` in every imported module that holds ``old`` under its own name."""
    name = old.__name__
    for module in list(sys.modules.values()):
        # Through the dictionary: getattr would wake lazily loaded modules.
        if getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)


def _not_needed() -> str:
    from mmengine.utils import package_utils

    uses_pkg_resources = "pkg_resources" in package_utils.get_installed_path.__code__.co_names
    if uses_pkg_resources and not is_importable("pkg_resources"):
        return ""
    if _distribution("mmsegmentation") is None:
        return ""
    return (
        "setuptools still has pkg_resources"
        if uses_pkg_resources
        else "this mmengine does not use pkg_resources"
    )


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
