"""Positions of units in a stage of residual blocks ("inserted evenly", Section 4.2)."""

from collections.abc import Sequence

from glore_seg.errors import ConfigError


def evenly_spaced_positions(num_blocks: int, num_units: int) -> tuple[int, ...]:
    """Spread ``num_units`` units evenly over a stage: ``floor(k (blocks + 1) / (units + 1))``.

    Position ``p`` means: after ``p`` blocks. These are the positions of the released networks.

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

    Args:
        blocks: Residual blocks of each stage.
        num_units: Units of each stage, inserted evenly.
        unit_positions: Positions in each stage. Without either option there are no units.

    Raises:
        ConfigError: Both are given, not one entry per stage, or positions that a stage lacks.
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
