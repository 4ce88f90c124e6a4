"""Checks of arguments that several layers share, and torch's classes by dimensions."""

from collections.abc import Collection, Sequence
from inspect import signature

from torch import Tensor, nn

from glore_seg.errors import ConfigError

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
BATCH_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def check_count(name: str, value: int, *, at_least: int) -> None:
    """Refuse a number that is too small, which torch would accept or fail on later."""
    if value < at_least:
        raise ConfigError(f"{name} must be at least {at_least}, got {value}")


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Refuse a value that is none of the choices."""
    if value not in choices:
        raise ConfigError(f"{name} must be one of {tuple(choices)}, got {value!r}")


def check_merged(module: str, given: Collection[str], bases: Sequence[type], fix: str) -> None:
    """Refuse arguments that no base class has, as a config inherits those of another type."""
    known = {name for base in bases for name in signature(base).parameters}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ConfigError(
            f"{module} has no {', '.join(unknown)}; expected its own arguments. If the _base_ "
            f"config has them for another type, {fix}"
        )


def check_input(layer: str, x: Tensor, *, channels: int, ndim: int) -> None:
    """Refuse an input that is not (B, channels, *sizes) with ``ndim`` sizes."""
    if x.dim() != ndim + 2 or x.shape[1] != channels:
        sizes = ", ".join(("T", "H", "W")[3 - ndim :])
        raise ConfigError(
            f"{layer} takes (B, {channels}, {sizes}), got a tensor of shape {tuple(x.shape)}"
        )
