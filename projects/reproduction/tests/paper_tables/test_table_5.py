"""Table 5's networks here, and the one figure of the paper that they meet."""

import pytest

from projects.reproduction.paper_tables import TABLES, count_rows


def test_counts_and_the_difference_between_the_units():
    counted = count_rows(TABLES["table5"], progress=False)
    found = {c.row.network: (round(c.params / 1e6, 3), round(c.macs / 1e9, 3)) for c in counted}
    assert found == {
        "3D ResNet-50": (27.985, 25.283),
        "3D ResNet-50 + pooled NL (2,3)": (35.344, 33.411),
        "3D ResNet-50 + GloRe (2,3)": (33.732, 31.776),
        "3D ResNet-101": (51.696, 43.831),
        "3D ResNet-101 + pooled NL (2,3)": (59.054, 51.959),
        "3D ResNet-101 + GloRe (2,3)": (57.443, 50.324),
    }
    for nonlocal_, glore in ((counted[1], counted[2]), (counted[4], counted[5])):
        printed = nonlocal_.row.paper_macs - glore.row.paper_macs
        assert printed == pytest.approx(1.6e9)
        assert nonlocal_.macs - glore.macs == pytest.approx(printed, abs=0.05e9)
