"""GloRe for OpenMMLab: importing the package registers everything that it offers."""

from glore_seg.version import __version__

__all__ = ["__version__"]
