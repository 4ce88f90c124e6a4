"""The image of costs: a color for each series, and no more than can be told apart."""

import numpy as np
import pytest
from PIL import Image

from projects.reproduction.paper_tables.plot import plot_costs

COLORS = {"a": (0x55, 0x55, 0x55), "b": (0xD5, 0x5E, 0x00), "c": (0, 0x72, 0xB2)}
POINTS = {"a": [(4.0, 25.0, "net")], "b": [(4.5, 27.0, "(0,1)"), (5.0, 31.0, "(0,3)")]}


def pixels(path, color) -> int:
    return int((np.array(Image.open(path).convert("RGB")) == color).all(2).sum())


def test_each_series_has_its_color(tmp_path):
    plot_costs(POINTS, tmp_path / "costs.png")
    assert pixels(tmp_path / "costs.png", COLORS["a"]) > 20
    assert pixels(tmp_path / "costs.png", COLORS["b"]) > 40
    assert pixels(tmp_path / "costs.png", COLORS["c"]) == 0


def test_what_is_far_away_is_in_the_left_panel_alone(tmp_path):
    plot_costs(POINTS, tmp_path / "near.png")
    plot_costs({**POINTS, "c": [(15.0, 65.0, "far")]}, tmp_path / "far.png")

    def right_panel(name):
        return np.array(Image.open(tmp_path / name).convert("RGB"))[:, 500:]

    assert not (right_panel("far.png") == COLORS["c"]).all(2)[:300].any()
    assert pixels(tmp_path / "far.png", COLORS["c"]) > 20


@pytest.mark.parametrize("count", [0, 5])
def test_number_of_series(count, tmp_path):
    series = {str(number): [(1.0, 1.0, "")] for number in range(count)}
    with pytest.raises(ValueError, match=f"got {count} series; expected 1 to 4"):
        plot_costs(series, tmp_path / "costs.png")
