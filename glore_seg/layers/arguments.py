"""Checks of arguments that several layers have."""

from numbers import Integral

from glore_seg.errors import ConfigError


def check_count(name: str, value: object, *, at_least: int) -> None:
    """Refuse what is no number of things.

    Raises:
        ConfigError: It is below ``at_least`` or no whole number.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ConfigError(f"{name} must be a whole number, got {value!r}")
    if value < at_least:
        raise ConfigError(f"{name} must be at least {at_least}, got {value}")
