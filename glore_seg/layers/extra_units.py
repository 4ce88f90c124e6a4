"""Units between the blocks of a stage, by name."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, get_args

from torch import nn

from glore_seg.errors import ConfigError
from glore_seg.layers.glore_unit import GloReUnit
from glore_seg.layers.nonlocal_block import NonLocalBlock

UnitType = Literal["glore", "nonlocal", "nonlocal-pooled"]

_UNITS: dict[str, Callable[..., nn.Module]] = {
    "glore": GloReUnit,
    "nonlocal": NonLocalBlock,
    "nonlocal-pooled": partial(NonLocalBlock, pooled=True),
}


def unit_builder(unit_type: str, **options: Any) -> Callable[[int], nn.Module]:
    """Return a function from a number of channels to a unit.

    Args:
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        **options: Arguments of :class:`GloReUnit` or :class:`NonLocalBlock`.

    Raises:
        ConfigError: The type is unknown.
    """
    if unit_type not in _UNITS:
        raise ConfigError(f"unit_type is {unit_type!r}; expected one of {get_args(UnitType)}")
    return partial(_UNITS[unit_type], **options)


def hidden_options(unit_type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that change what a unit computes but not its parameters, defaults included.

    The same weights load into units that differ in these, and predict something else.

    Args:
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        options: As for :func:`unit_builder`.
    """
    if unit_type == "glore":
        defaults: dict[str, Any] = {"normalize": True, "act_position": "between"}
    else:
        defaults = {"pooled": unit_type == "nonlocal-pooled"}
    return {name: options.get(name, default) for name, default in defaults.items()}
