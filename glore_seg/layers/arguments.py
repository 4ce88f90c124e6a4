"""Checks of arguments that several layers have."""

from numbers import Integral


def check_count(name: str, value: object, *, at_least: int) -> None:
    """Refuse what is no number of things.

    Raises:
        ValueError: It is below ``at_least`` or no whole number.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {value}")
