"""Checks of arguments that several layers share."""

from glore_seg.errors import ConfigError


def check_count(name: str, value: int, *, at_least: int) -> None:
    """Refuse a number that is too small, which torch would accept or fail on later.

    Raises:
        ConfigError: It is below ``at_least``.
    """
    if value < at_least:
        raise ConfigError(f"{name} must be at least {at_least}, got {value}")
