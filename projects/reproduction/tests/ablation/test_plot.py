"""The image of an ablation shows what was given."""

import cv2

from projects.reproduction.ablation.plot import _by_step, plot_ablation


def test_points_are_those_of_every_seed():
    seeds = [[(1, 10.0), (2, 20.0), (3, 25.0)], [(3, 35.0), (1, 12.0)]]
    assert _by_step(seeds) == {1: [10.0, 12.0], 3: [25.0, 35.0]}


def test_image(tmp_path):
    curves = {"a": [[(1, 10.0), (2, 20.0)], [(1, 11.0), (2, 22.0)]], "b": [[(1, 9.0), (2, 30.0)]]}
    plot_ablation(curves, tmp_path / "out.png")
    image = cv2.imread(str(tmp_path / "out.png"))
    assert image.shape == (504, 1320, 3)
    # Both halves have the colors of both rows: blue and orange of matplotlib's ten.
    for half in (image[:, :740], image[:, 740:]):
        pixels = half.reshape(-1, 3).astype(int)
        assert (pixels[:, 0] - pixels[:, 2]).max() > 60
        assert (pixels[:, 2] - pixels[:, 0]).max() > 60
