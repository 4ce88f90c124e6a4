import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import ConfigError
from glore_seg.visualization import Comparison, draw_comparison, find_boxes, weigh_differences

YELLOW = (255, 232, 0)
SHAPE = (96, 192)  # two pixels per cell of the search grid
IMAGE = np.full((*SHAPE, 3), (10, 200, 30), np.uint8)


def labels(*regions):
    """A label map of zeros with (top, bottom, left, right, value) regions."""
    label = np.zeros(SHAPE, np.uint8)
    for top, bottom, left, right, value in regions:
        label[top:bottom, left:right] = value
    return label


def region(box):
    return box.top, box.top + box.height, box.left, box.left + box.width


def example(*, truth=True):
    """Two models that differ in one region, where the second is right."""
    car = labels((20, 60, 40, 120, 1))
    return Comparison(IMAGE, {"plain": labels(), "ours": car}, car if truth else None)


def draw(folder, comparisons, **options):
    file = folder / "compare.png"
    names = {"classes": ("road", "car"), "palette": [(128, 64, 128), (0, 0, 142)]}
    draw_comparison(comparisons, file, **names, **options)
    return np.array(Image.open(file).convert("RGB"))


def test_weights_without_truth_are_where_any_two_differ():
    maps = labels(), labels((0, 2, 0, 2, 5)), labels((0, 2, 1, 3, 5))
    weights = weigh_differences(maps)
    assert weights.dtype == np.float32
    assert weights[:3, :4].tolist() == [[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    assert weights.sum() == 6


def test_weights_with_truth():
    #                    agree  one right  both wrong  ignored
    truth = np.array([[1, 1, 1, 255]], np.uint8)
    maps = np.array([[[2, 1, 2, 1]], [[2, 2, 3, 2]]], np.uint8)
    assert weigh_differences(maps, truth).tolist() == [[0, 1, np.float32(0.3), 0]]


def test_boxes_are_exact_to_the_cell_and_sorted_by_weight():
    small, large = (10, 26, 20, 44, 7), (40, 80, 100, 160, 3)
    weights = weigh_differences([labels(), labels(small, large)])
    boxes = find_boxes(weights, 3)
    assert [region(box) for box in boxes] == [large[:4], small[:4]]
    # Each pixel gains 1 - 0.35.
    assert [box.weight for box in boxes] == pytest.approx([0.65 * 40 * 60, 0.65 * 16 * 24])
    assert find_boxes(weights, 1) == boxes[:1]
    (box, _) = find_boxes(np.kron(weights, np.ones((8, 8), np.float32)), 2)
    assert region(box) == (320, 640, 800, 1280)


def test_boxes_do_not_overlap():
    blobs = np.random.default_rng(0).random((6, 12)) < 0.5
    boxes = find_boxes(np.kron(blobs, np.ones((16, 16))).astype(np.float32), 12)
    assert len(boxes) > 3
    covered = np.zeros(SHAPE, int)
    for box in boxes:
        top, bottom, left, right = region(box)
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1
    assert [box.weight for box in boxes] == sorted((b.weight for b in boxes), reverse=True)


def test_no_box_for_thin_outlines_agreement_and_small_regions():
    outline = weigh_differences([labels((20, 60, 20, 90, 4)), labels((21, 61, 21, 91, 4))])
    assert outline.sum() > 200
    assert find_boxes(outline, 3) == []
    assert find_boxes(np.zeros(SHAPE, np.float32), 3) == []
    weights = weigh_differences([labels(), labels((40, 88, 90, 180, 3), (4, 12, 4, 12, 3))])
    assert [region(box) for box in find_boxes(weights, 3)] == [(40, 88, 90, 180)]


@pytest.mark.parametrize("shape", [SHAPE, (1, 1), (2, 500), (7, 9), (5, 3)])
def test_boxes_are_inside_and_their_sides_at_most_half_of_a_large_image(shape):
    boxes = find_boxes(np.ones(shape, np.float32), 2)
    for box in boxes:
        top, bottom, left, right = region(box)
        assert 0 <= top < bottom <= shape[0]
        assert 0 <= left < right <= shape[1]
    if shape == SHAPE:
        assert (boxes[0].height, boxes[0].width) == (48, 96)


def test_difference_is_the_weight_of_three_boxes():
    assert example().difference == pytest.approx(0.65 * 40 * 80 / (96 * 192))
    two = Comparison(IMAGE, {"a": labels(), "b": labels((0, 40, 0, 60, 1), (50, 90, 100, 160, 1))})
    # The largest region is in the first image, the largest sum in the second.
    assert example().boxes(1)[0].weight > two.boxes(1)[0].weight
    assert two.difference > example().difference


def test_the_region_is_framed_in_every_column(tmp_path):
    image = draw(tmp_path, [example()])
    assert image.shape[1] == 4 * 3.2 * 120
    columns = np.flatnonzero((image == YELLOW).all(-1).any(0))
    parts = np.split(columns, np.flatnonzero(np.diff(columns) > 40) + 1)
    frames = np.array([(part[0], part[-1]) for part in parts])
    # The 192 pixels of a column are 374 dots wide: 3.2 inches without the gaps.
    np.testing.assert_allclose(frames[:, 1] - frames[:, 0], [80 / 192 * 374] * 4, rtol=0.05)
    np.testing.assert_allclose(np.diff(frames[:, 0]), [3.2 * 120] * 3, atol=3)


def test_no_boxes_and_no_truth(tmp_path):
    image = draw(tmp_path, [example(truth=False)], num_boxes=0)
    assert image.shape[1] == pytest.approx(3 * 3.2 * 120, abs=1)
    assert not (image == YELLOW).all(-1).any()
    with pytest.raises(ConfigError, match="ground truth"):
        draw(tmp_path, [example(), example(truth=False)])


def test_accuracies():
    # 3,200 of 18,432 pixels are cars.
    expected = {"plain": "82.6 % of pixels right", "ours": "100.0 % of pixels right"}
    assert example().accuracies() == expected
    ignored = np.full(SHAPE, 255, np.uint8)
    assert Comparison(IMAGE, example().predictions, ignored).accuracies() == {}
