"""Units between the blocks of a stage: their kinds by name, and their positions."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from torch import nn

from glore_seg.errors import ConfigError
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
    """Return a function from a number of channels to a unit with ``options``."""
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


def evenly_spaced_positions(num_blocks: int, num_units: int) -> tuple[int, ...]:
    """Spread ``num_units`` units evenly over a stage: ``floor(k (blocks + 1) / (units + 1))``.

    Position ``p`` means: after ``p`` blocks. These are the positions of the released networks:
    after blocks 1 and 3 of Res3 and 1, 3, 5 of Res4 in ResNet-50, after 6, 12, 18 of Res4 in
    ResNet-101.

    Raises:
        ConfigError: ``num_units`` is negative or larger than ``num_blocks``.

    Example:
        >>> evenly_spaced_positions(num_blocks=6, num_units=3)
        (1, 3, 5)
    """
    if not 0 <= num_units <= num_blocks:
        raise ConfigError(
            f"number of units must be between 0 and the {num_blocks} blocks of the stage, "
            f"got {num_units}"
        )
    return tuple(k * (num_blocks + 1) // (num_units + 1) for k in range(1, num_units + 1))


def stage_positions(
    blocks: Sequence[int],
    num_units: Sequence[int] | None,
    unit_positions: Sequence[Sequence[int]] | None,
) -> list[tuple[int, ...]]:
    """Positions of the units in every stage in rising order, from either of the two options.

    ``blocks`` counts the residual blocks of each stage. Without either option there are no units.
    A ConfigError names what a stage lacks.
    """
    if num_units is not None and unit_positions is not None:
        raise ConfigError(
            f"give num_units or unit_positions, not both; got {num_units!r} and {unit_positions!r}"
        )
    for name, values in (("num_units", num_units), ("unit_positions", unit_positions)):
        if values is None:
            continue
        if not isinstance(values, Sequence) or len(values) != len(blocks):
            raise ConfigError(
                f"{name} must have one entry for each of the {len(blocks)} stages, got {values!r}"
            )
    if unit_positions is None:
        counts = num_units or (0,) * len(blocks)
        return [evenly_spaced_positions(b, n) for b, n in zip(blocks, counts, strict=True)]
    for positions, count in zip(unit_positions, blocks, strict=True):
        allowed = set(range(1, count + 1))
        if len(set(positions) & allowed) != len(positions):
            raise ConfigError(
                f"unit positions {tuple(positions)} must be different numbers between 1 and "
                f"{count}: a unit at p follows the p-th of the stage's {count} blocks"
            )
    return [tuple(sorted(positions)) for positions in unit_positions]
