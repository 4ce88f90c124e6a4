import numpy as np
import pytest
from PIL import Image

from glore_seg.visualization import Box, draw_panel, overlay
from glore_seg.visualization.panels import colorize

CLASSES = ("road", "car")
PALETTE = [(128, 64, 128), (0, 0, 142)]


def test_colorize_paints_by_the_palette_and_the_rest_black():
    label = np.array([[0, 1], [255, 2]], np.uint8)
    painted = colorize(label, PALETTE)
    assert painted.dtype == np.uint8
    assert painted.tolist() == [[[128, 64, 128], [0, 0, 142]], [[0, 0, 0], [0, 0, 0]]]
    assert np.array_equal(colorize(label.astype(np.int64), PALETTE), painted)


@pytest.mark.parametrize(
    ("opacity", "expected"),
    [
        (0.0, [[200, 100, 0], [10, 20, 30]]),
        (1.0, [[128, 64, 128], [0, 0, 142]]),
        (0.25, [[182, 91, 32], [8, 15, 58]]),
    ],
)
def test_overlay_mixes_image_and_color(opacity, expected):
    image = np.array([[[200, 100, 0], [10, 20, 30]]], np.uint8)
    mixed = overlay(image, np.array([[0, 1]]), PALETTE, opacity=opacity)
    assert mixed.dtype == np.uint8
    assert mixed.tolist() == [expected]


def test_overlay_refuses_what_does_not_fit():
    image = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(ValueError, match=r"image \(2, 3\) and label map \(3, 2\) differ in size"):
        overlay(image, np.zeros((3, 2), np.uint8), PALETTE)
    with pytest.raises(ValueError, match=r"opacity must lie between 0 and 1, got 1\.5"):
        overlay(image, np.zeros((2, 3), np.uint8), PALETTE, opacity=1.5)


def panel(folder, *, rows):
    file = folder / "panel.png"
    draw_panel(rows, file, classes=CLASSES, palette=PALETTE)
    return np.array(Image.open(file).convert("RGB"))


def test_panel_shows_rows_columns_and_a_legend(tmp_path):
    image = np.full((40, 80, 3), (10, 200, 30), np.uint8)
    road = np.zeros((40, 80), np.uint8)
    one = panel(tmp_path, rows=[{"input": image, "label": road}])
    # 3.2 inches a column at 120 dots; half that high for an image of 1 : 2, and 0.9 for the rest.
    assert one.shape == (round((1.6 + 0.9) * 120), 2 * 3.2 * 120, 3)
    colors = {tuple(color) for color in np.unique(one.reshape(-1, 3), axis=0).tolist()}
    assert {(10, 200, 30), PALETTE[0]} <= colors
    assert PALETTE[1] not in colors  # no car anywhere, so none in the legend

    two = panel(tmp_path, rows=[{"input": image, "label": road}, {"input": image, "label": road}])
    assert two.shape[0] - one.shape[0] == pytest.approx(1.6 * 120, abs=1)


def test_panel_refuses_rows_of_different_columns(tmp_path):
    image = np.zeros((4, 4, 3), np.uint8)
    for rows in ([], [{"input": image}, {"image": image}]):
        with pytest.raises(ValueError, match="the same columns in one order"):
            panel(tmp_path, rows=rows)
    assert list(tmp_path.iterdir()) == []


def test_boxes_and_notes_stand_in_their_row(tmp_path):
    image = np.full((40, 80, 3), (10, 200, 30), np.uint8)
    rows = [{"input": image}, {"input": image}]
    boxes = [[], [Box(left=20, top=10, width=40, height=20, weight=1.0)]]
    for name, notes in (("plain.png", ()), ("noted.png", [{}, {"input": "a note"}])):
        draw_panel(
            rows, tmp_path / name, classes=CLASSES, palette=PALETTE, boxes=boxes, notes=notes
        )
    plain, noted = (
        np.array(Image.open(tmp_path / name).convert("RGB")) for name in ("plain.png", "noted.png")
    )
    assert noted.shape[0] - plain.shape[0] == pytest.approx(2 * 0.2 * 120, abs=1)
    yellow = np.flatnonzero((plain == (255, 232, 0)).all(-1).any(1))
    green = np.flatnonzero((plain == (10, 200, 30)).all(-1).any(1))
    # In the lower image alone, from a quarter to three quarters of its height.
    second = green[np.flatnonzero(np.diff(green) > 1)[0] + 1]
    assert yellow.min() > second
    assert (yellow.min() - second) / (green.max() - second) == pytest.approx(0.25, abs=0.04)
    assert (yellow.max() - second) / (green.max() - second) == pytest.approx(0.75, abs=0.04)
