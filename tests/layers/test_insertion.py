"""Positions of the released networks, and explicit ones."""

import pytest

from glore_seg.errors import ConfigError
from glore_seg.layers.insertion import evenly_spaced_positions, stage_positions


@pytest.mark.parametrize(
    ("num_blocks", "num_units", "positions"),
    [
        (4, 2, (1, 3)),  # Res3 of ResNet-50 and -101
        (6, 3, (1, 3, 5)),  # Res4 of ResNet-50
        (23, 3, (6, 12, 18)),  # Res4 of ResNet-101
        (36, 3, (9, 18, 27)),  # Res4 of ResNet-200
        (6, 1, (3,)),
        (2, 2, (1, 2)),
        (3, 0, ()),
    ],
)
def test_evenly_spaced(num_blocks, num_units, positions):
    assert evenly_spaced_positions(num_blocks, num_units) == positions


@pytest.mark.parametrize("num_units", [-1, 5])
def test_rejects_too_many_or_too_few(num_units):
    with pytest.raises(ConfigError, match=f"got {num_units}"):
        evenly_spaced_positions(4, num_units)


def test_explicit_positions():
    assert stage_positions((4, 4), None, ((3, 1), ())) == [(1, 3), ()]
    assert stage_positions((4, 4), None, None) == [(), ()]


@pytest.mark.parametrize("positions", [(0, 2), (2, 5), (2, 2), (1, 1.5)])
def test_rejects_positions(positions):
    with pytest.raises(ConfigError, match="different numbers between 1 and 4"):
        stage_positions((4, 4), None, (positions, ()))
