"""GloRe for OpenMMLab: importing the package registers everything that it offers."""

from glore_seg import compat
from glore_seg.version import __version__

if not compat.is_reporting():
    compat.apply()  # patches upstream, so before the first import of OpenMMLab's

    from glore_seg import datasets, engine, evaluation, layers, models
    from glore_seg.layers import GloReUnit, GraphConv

__all__ = [
    "GloReUnit",
    "GraphConv",
    "__version__",
    "compat",
    "datasets",
    "engine",
    "evaluation",
    "layers",
    "models",
]
