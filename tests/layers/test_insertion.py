"""Positions of the released networks and those given by hand."""

import pytest

from glore_seg.layers.insertion import check_positions, evenly_spaced_positions


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


@pytest.mark.parametrize("num_units", [-1, 5, 1.5])
def test_too_many_or_too_few(num_units):
    with pytest.raises(ValueError, match=rf"between 0 and the 4 blocks .*got {num_units}"):
        evenly_spaced_positions(4, num_units)


def test_positions_by_hand():
    assert check_positions((3, 1), 4) == (1, 3)
    with pytest.raises(ValueError, match=r"\[0, 5\] are outside a stage of 4 blocks"):
        check_positions((0, 2, 5), 4)
    with pytest.raises(ValueError, match="name a place twice"):
        check_positions((2, 2), 4)
    with pytest.raises(ValueError, match=r"\[1\.5\] are outside a stage of 4 blocks"):
        check_positions((1, 1.5), 4)
    with pytest.raises(ValueError, match=r"of a stage are 2; expected a tuple such as \(1, 3\)"):
        check_positions(2, 4)
