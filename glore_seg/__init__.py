"""GloRe for OpenMMLab: after ``import glore_seg`` its registries know all that it offers."""

import importlib
from typing import TYPE_CHECKING, Any

from glore_seg import compat
from glore_seg.version import __version__

if TYPE_CHECKING:
    from glore_seg import apis, datasets, engine, evaluation, layers, models
    from glore_seg.layers import GloReUnit, GraphConv

__all__ = [
    "GloReUnit",
    "GraphConv",
    "__version__",
    "apis",
    "compat",
    "datasets",
    "engine",
    "evaluation",
    "layers",
    "models",
]


def _register() -> None:
    for package in ("datasets", "engine", "evaluation", "models"):
        importlib.import_module(f"glore_seg.{package}")


def __getattr__(name: str) -> Any:
    if name in ("GloReUnit", "GraphConv"):
        return getattr(importlib.import_module("glore_seg.layers"), name)
    if name in __all__:
        return importlib.import_module(f"glore_seg.{name}")
    raise AttributeError(f"module 'glore_seg' has no attribute {name!r}")


if not compat.is_reporting():
    compat.apply()  # patches upstream, so before the first import of OpenMMLab's
    from glore_seg.compat.registry import call_at_first_lookup

    call_at_first_lookup(_register)
