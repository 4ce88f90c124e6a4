import numpy as np
import pytest
from PIL import Image

from glore_seg.visualization import Comparison, draw_comparison

CLASSES = ("road", "car")
PALETTE = [(128, 64, 128), (0, 0, 142)]
YELLOW = (255, 232, 0)
IMAGE = np.full((96, 192, 3), (10, 200, 30), np.uint8)


def example(*, truth=True):
    """Two models that differ in one region, of which the second is right."""
    road, car = np.zeros((96, 192), np.uint8), np.zeros((96, 192), np.uint8)
    car[20:60, 40:120] = 1
    return Comparison(IMAGE, {"plain": road, "ours": car}, car if truth else None)


def draw(folder, comparisons, **options):
    file = folder / "compare.png"
    draw_comparison(comparisons, file, classes=CLASSES, palette=PALETTE, **options)
    return np.array(Image.open(file).convert("RGB"))


def runs(image):
    """Columns in which each of the yellow frames stands, as (first, last)."""
    columns = np.flatnonzero((image == YELLOW).all(-1).any(0))
    parts = np.split(columns, np.flatnonzero(np.diff(columns) > 40) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def test_the_region_is_framed_in_every_column(tmp_path):
    assert [(b.left, b.top, b.width, b.height) for b in example().boxes(3)] == [(40, 20, 80, 40)]
    image = draw(tmp_path, [example()])
    assert image.shape[1] == 4 * 3.2 * 120
    # A column is 374 dots wide (3.2 inches less the gaps), and so is the image of 192 pixels.
    frames = runs(image)
    widths = [last - first for first, last in frames]
    assert len(frames) == 4
    assert np.allclose(widths, widths[0], atol=2)
    assert widths[0] == pytest.approx(80 / 192 * 374, rel=0.05)
    steps = np.diff([first for first, _ in frames])
    assert np.allclose(steps, 3.2 * 120, atol=3)


def test_no_boxes_and_no_truth(tmp_path):
    without = draw(tmp_path, [example(truth=False)], num_boxes=0)
    assert without.shape[1] == pytest.approx(3 * 3.2 * 120, abs=1)
    assert not (without == YELLOW).all(-1).any()


def test_difference_is_the_share_that_is_framed():
    assert example().difference == pytest.approx(0.65 * 40 * 80 / (96 * 192))
    same = Comparison(IMAGE, dict.fromkeys("ab", np.zeros((96, 192), np.uint8)))
    assert same.difference == 0


def test_images_are_ranked_alike_however_many_boxes_are_drawn(tmp_path):
    """One large region against two regions of which each is smaller."""
    road, car = np.zeros((2, 96, 192), np.uint8)
    car[20:60, 40:120] = 1
    two = np.zeros((96, 192), np.uint8)
    two[0:40, 0:60] = two[50:90, 100:160] = 1
    first, second = (Comparison(IMAGE, {"a": road, "b": other}) for other in (car, two))
    assert first.boxes(1)[0].weight > second.boxes(1)[0].weight
    assert second.difference > first.difference > 0
    assert first.boxes(0) == []


def test_a_note_tells_the_share_of_right_pixels(tmp_path, monkeypatch):
    notes = []
    monkeypatch.setattr(
        "glore_seg.visualization.comparison.draw_panel",
        lambda *_, **options: notes.extend(options["notes"]),
    )
    ignored = Comparison(IMAGE, example().predictions, np.full((96, 192), 255, np.uint8))
    draw_comparison([example(), ignored], tmp_path / "x.png", classes=CLASSES, palette=PALETTE)
    # 3,200 of 18,432 pixels are cars.
    assert notes == [
        {"plain": "82.6 % of pixels right", "ours": "100.0 % of pixels right"},
        {},
    ]


def test_images_with_and_without_truth_are_refused(tmp_path):
    with pytest.raises(ValueError, match="some images have ground truth and some have none"):
        draw(tmp_path, [example(), example(truth=False)])
    assert list(tmp_path.iterdir()) == []
