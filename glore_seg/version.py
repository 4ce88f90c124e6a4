"""The version of glore_seg, readable without importing the package."""

__version__ = "0.2.0"
