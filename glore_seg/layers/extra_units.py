"""What stands between the blocks of a stage, by name."""

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
    """Give the function that makes units of a type.

    Args:
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        **options: Arguments of :class:`GloReUnit` or :class:`NonLocalBlock`.

    Returns:
        A function of the number of channels.

    Raises:
        ConfigError: There is no such type.
    """
    if unit_type not in _UNITS:
        raise ConfigError(f"unit_type is {unit_type!r}; expected one of {get_args(UnitType)}")
    return partial(_UNITS[unit_type], **options)


def hidden_options(unit_type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What of the arguments changes the function of a unit, but not its parameters.

    The same weights fit units that differ in these, and compute something else there.

    Args:
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        options: As for :func:`unit_builder`.

    Returns:
        Name to value, defaults included.
    """
    if unit_type == "glore":
        defaults: dict[str, Any] = {"normalize": True, "act_position": "between"}
    else:
        defaults = {"pooled": unit_type == "nonlocal-pooled"}
    return {name: options.get(name, default) for name, default in defaults.items()}
