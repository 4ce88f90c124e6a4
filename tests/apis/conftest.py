"""The small network of the engine's tests."""

from tests.engine.conftest import save, small_cfg

__all__ = ["save", "small_cfg"]
