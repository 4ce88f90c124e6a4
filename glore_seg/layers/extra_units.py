"""Units between the blocks of a stage, by name."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from torch import nn

from glore_seg.layers.arguments import check_choice
from glore_seg.layers.glore_unit import GloReUnit
from glore_seg.layers.nonlocal_block import NonLocalBlock

UnitType = Literal["glore", "nonlocal", "nonlocal-pooled"]

_UNITS: dict[str, Callable[..., nn.Module]] = {
    "glore": GloReUnit,
    "nonlocal": NonLocalBlock,
    "nonlocal-pooled": partial(NonLocalBlock, pooled=True),
}


def unit_builder(unit_type: str, **options: Any) -> Callable[[int], nn.Module]:
    """Return a function from a number of channels to a unit with ``options``.

    Raises:
        ConfigError: The type is unknown.
    """
    check_choice("unit_type", unit_type, _UNITS)
    return partial(_UNITS[unit_type], **options)


def hidden_options(unit_type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that change what a unit computes but not its parameters, defaults included.

    The same weights load into units that differ in these, and predict something else.
    """
    if unit_type == "glore":
        defaults: dict[str, Any] = {"normalize": True, "act_position": "between"}
    else:
        defaults = {"pooled": unit_type == "nonlocal-pooled"}
    return {name: options.get(name, default) for name, default in defaults.items()}
