import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from glore_seg.errors import ConfigError
from glore_seg.visualization import browse, draw_panel, overlay
from glore_seg.visualization.panels import Box, colorize, draw_clip_prediction, paint_errors

CLASSES = ("road", "car")
PALETTE = [(128, 64, 128), (0, 0, 142)]
IMAGE = np.full((40, 80, 3), (10, 200, 30), np.uint8)


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
    with pytest.raises(ConfigError, match=r"1\.5; expected 0 to 1"):
        overlay(image, np.array([[0, 1]]), PALETTE, opacity=1.5)


def test_errors_are_orange_right_pixels_dim_ignored_ones_black():
    image = np.full((1, 3, 3), 100, np.uint8)
    painted = paint_errors(image, np.array([[1, 1, 1]]), np.array([[1, 2, 255]]))
    assert painted.tolist() == [[[60, 60, 60], [255, 140, 0], [0, 0, 0]]]


def panel(folder, rows, **options):
    draw_panel(rows, folder / "panel.png", classes=CLASSES, palette=PALETTE, **options)
    return np.array(Image.open(folder / "panel.png").convert("RGB"))


def test_panel_has_rows_columns_and_a_legend(tmp_path):
    row = {"input": IMAGE, "label": np.zeros((40, 80), np.uint8)}
    one = panel(tmp_path, [row])
    # 3.2 inches per column at 120 dots; half that high for an image of 1 : 2, and 0.9 for the rest.
    assert one.shape == (round((1.6 + 0.9) * 120), 2 * 3.2 * 120, 3)
    colors = {tuple(color) for color in np.unique(one.reshape(-1, 3), axis=0).tolist()}
    assert {(10, 200, 30), PALETTE[0]} <= colors
    assert PALETTE[1] not in colors  # no car in the image, so none in the legend
    two = panel(tmp_path, [row, row])
    assert two.shape[0] - one.shape[0] == pytest.approx(1.6 * 120, abs=1)


def test_boxes_and_notes_are_in_their_row(tmp_path):
    rows = [{"input": IMAGE}] * 2
    boxes = [[], [Box(left=20, top=10, width=40, height=20, weight=1.0)]]
    plain = panel(tmp_path, rows, boxes=boxes)
    noted = panel(tmp_path, rows, boxes=boxes, notes=[{}, {"input": "a note"}])
    assert noted.shape[0] - plain.shape[0] == pytest.approx(2 * 0.2 * 120, abs=1)
    yellow = np.flatnonzero((plain == (255, 232, 0)).all(-1).any(1))
    green = np.flatnonzero((plain == (10, 200, 30)).all(-1).any(1))
    # Only in the lower image, from a quarter to three quarters of its height.
    second = green[np.flatnonzero(np.diff(green) > 1)[0] + 1]
    height = green.max() - second
    assert (yellow.min() - second) / height == pytest.approx(0.25, abs=0.04)
    assert (yellow.max() - second) / height == pytest.approx(0.75, abs=0.04)


class Drawn(list):
    metainfo = {"classes": CLASSES, "palette": PALETTE}


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_browse_draws_images_of_any_channels(tmp_path, channels, dtype):
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, 40, 80, dtype=torch.long)))
    sample.set_metainfo({"img_path": "a.png"})
    image = torch.arange(40 * 80).view(1, 40, 80).remainder(256).repeat(channels, 1, 1).to(dtype)
    (file,) = browse(Drawn([{"inputs": image, "data_samples": sample}]), tmp_path, num_images=5)
    assert np.asarray(Image.open(file)).std() > 50


def clip(**options):
    frames = [np.full((40, 60, 3), value, np.uint8) for value in (10, 90, 170, 250)]
    scores = np.array([0.1, 0.7, 0.2])
    return draw_clip_prediction(frames, scores=scores, **options).astype(int)


def test_frames_of_a_clip_are_in_a_row():
    image = clip()
    assert image.shape[1] == 640
    row = image[round(image.shape[0] * 0.75)]
    middle = [row[round(640 * (i + 0.5) / 4)].tolist() for i in range(4)]
    assert middle == [[value] * 3 for value in (10, 90, 170, 250)]


@pytest.mark.parametrize(("truth", "red", "green"), [([1], 0, 1), ([0], 1, 0), ([], 0, 0)])
def test_the_color_of_the_text_shows_whether_the_class_is_right(truth, red, green):
    image = clip(truth=truth)
    reddest = (image[..., 0] - image[..., [1, 2]].max(axis=2)).max()
    greenest = (image[..., 1] - image[..., [0, 2]].max(axis=2)).max()
    assert (reddest > 60, greenest > 60) == (bool(red), bool(green))


def test_names_of_classes_are_no_formulas():
    clip(classes=["$a", "b$", "c$"], title=r"$\nonsense$")
