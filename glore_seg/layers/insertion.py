"""Where units stand in a stage of residual blocks ("inserted evenly", Section 4.2)."""

from collections.abc import Sequence
from typing import Any

from glore_seg.errors import ConfigError


def evenly_spaced_positions(num_blocks: int, num_units: int) -> tuple[int, ...]:
    """Spread ``num_units`` units evenly over a stage: ``floor(k (blocks + 1) / (units + 1))``.

    Position ``p`` means: after ``p`` blocks. These are the places of the released networks:
    after blocks 1 and 3 of Res3 and 1, 3, 5 of Res4 in ResNet-50, after 6, 12, 18 of Res4 in
    ResNet-101.

    Args:
        num_blocks: Residual blocks in the stage, at least 1.
        num_units: Units to insert, 0 to ``num_blocks``.

    Returns:
        Positions in rising order, each between 1 and ``num_blocks``.

    Raises:
        ConfigError: ``num_units`` is not whole, negative, or larger than ``num_blocks``.

    Example:
        >>> evenly_spaced_positions(num_blocks=6, num_units=3)
        (1, 3, 5)
    """
    if not isinstance(num_units, int) or not 0 <= num_units <= num_blocks:
        raise ConfigError(
            f"number of units must be whole and lie between 0 and the {num_blocks} blocks of the "
            f"stage, got {num_units}"
        )
    return tuple(k * (num_blocks + 1) // (num_units + 1) for k in range(1, num_units + 1))


def check_positions(positions: Sequence[int], num_blocks: int) -> tuple[int, ...]:
    """Return positions given by hand in rising order, or say what is wrong with them.

    Raises:
        ConfigError: They are no tuple, or a position is doubled, not whole, or not between 1 and
            ``num_blocks``.
    """
    if not isinstance(positions, Sequence):
        raise ConfigError(
            f"unit positions of a stage are {positions!r}; expected a tuple such as (1, 3), or ()"
        )
    outside = [p for p in positions if not isinstance(p, int) or not 1 <= p <= num_blocks]
    if outside:
        raise ConfigError(
            f"unit positions {outside} are outside a stage of {num_blocks} blocks: a unit at p "
            f"stands after p blocks, so p must lie between 1 and {num_blocks}"
        )
    if len(set(positions)) != len(positions):
        raise ConfigError(f"unit positions {list(positions)} name a place twice")
    return tuple(sorted(positions))


def stage_positions(
    blocks: Sequence[int],
    num_units: Sequence[int] | None,
    unit_positions: Sequence[Sequence[int]] | None,
) -> list[tuple[int, ...]]:
    """Positions of the units in every stage, from the two ways to give them.

    Args:
        blocks: Residual blocks of each stage.
        num_units: Units of each stage, inserted evenly.
        unit_positions: Positions in each stage; neither of the two gives no units.

    Returns:
        Positions of each stage in rising order.

    Raises:
        ConfigError: Both are given, not one entry a stage, or what the stage does not have.
    """
    if num_units is not None and unit_positions is not None:
        raise ConfigError(
            f"give num_units or unit_positions, not both; got {num_units!r} and {unit_positions!r}"
        )
    if unit_positions is None:
        num_units = (0,) * len(blocks) if num_units is None else num_units
        _check_one_a_stage("num_units", num_units, blocks)
        return [evenly_spaced_positions(b, n) for b, n in zip(blocks, num_units, strict=True)]
    _check_one_a_stage("unit_positions", unit_positions, blocks)
    return [check_positions(p, b) for p, b in zip(unit_positions, blocks, strict=True)]


def _check_one_a_stage(name: str, values: Sequence[Any], blocks: Sequence[int]) -> None:
    if not isinstance(values, Sequence) or len(values) != len(blocks):
        raise ConfigError(
            f"{name} must have one entry for each of the {len(blocks)} stages, got {values!r}"
        )
