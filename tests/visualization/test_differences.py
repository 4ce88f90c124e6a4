import numpy as np
import pytest

from glore_seg.visualization import Box, find_boxes, weigh_differences

SHAPE = (96, 192)  # two pixels a cell of the search grid


def labels(*regions, shape=SHAPE):
    """A label map of zeros with (top, bottom, left, right, value) regions."""
    label = np.zeros(shape, np.uint8)
    for top, bottom, left, right, value in regions:
        label[top:bottom, left:right] = value
    return label


def place(box):
    return box.top, box.top + box.height, box.left, box.left + box.width


def test_weights_without_truth_are_where_any_two_differ():
    a, b, c = labels(), labels((0, 2, 0, 2, 5)), labels((0, 2, 1, 3, 5))
    weights = weigh_differences([a, b, c])
    assert weights.dtype == np.float32
    assert weights[:3, :4].tolist() == [[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    assert weights.sum() == 6


def test_truth_tells_which_differences_matter():
    #                    agree  one right  both wrong  ignored
    truth = np.array([[1, 1, 1, 255]], np.uint8)
    a = np.array([[2, 1, 2, 1]], np.uint8)
    b = np.array([[2, 2, 3, 2]], np.uint8)
    assert weigh_differences([a, b], truth).tolist() == [[0, 1, np.float32(0.3), 0]]


@pytest.mark.parametrize(
    ("maps", "truth", "message"),
    [
        ([labels()], None, "1 prediction; expected two or more to compare"),
        ([labels(), labels(shape=(3, 4))], None, r"sizes \[\(96, 192\), \(3, 4\)\]"),
        ([labels(), labels()], labels(shape=(3, 4)), "predict and label the same image"),
    ],
)
def test_what_cannot_be_compared_is_refused(maps, truth, message):
    with pytest.raises(ValueError, match=message):
        weigh_differences(maps, truth)


def test_planted_regions_are_found_to_the_cell_largest_first():
    small, large = (10, 26, 20, 44, 7), (40, 80, 100, 160, 3)
    weights = weigh_differences([labels(), labels(small, large)])
    boxes = find_boxes(weights, 3)
    assert [place(box) for box in boxes] == [large[:4], small[:4]]
    # Each pixel gains 1 - 0.35.
    assert boxes[0].weight == pytest.approx(0.65 * 40 * 60)
    assert boxes[1].weight == pytest.approx(0.65 * 16 * 24)
    assert find_boxes(weights, 1) == boxes[:1]
    assert find_boxes(weights, 0) == []


def test_the_same_place_at_eight_times_the_size():
    small = weigh_differences([labels(), labels((40, 80, 100, 160, 3))])
    (box,) = find_boxes(np.kron(small, np.ones((8, 8), np.float32)), 1)
    assert place(box) == (320, 640, 800, 1280)


def test_boxes_do_not_overlap():
    rng = np.random.default_rng(0)
    blobs = rng.random((6, 12)) < 0.5
    weights = np.kron(blobs, np.ones((16, 16))).astype(np.float32)
    boxes = find_boxes(weights, 12)
    assert len(boxes) > 3
    covered = np.zeros(SHAPE, int)
    for box in boxes:
        top, bottom, left, right = place(box)
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1
    assert [box.weight for box in boxes] == sorted((b.weight for b in boxes), reverse=True)


def test_outlines_a_pixel_apart_and_agreement_are_no_box():
    outline = weigh_differences([labels((20, 60, 20, 90, 4)), labels((21, 61, 21, 91, 4))])
    assert outline.sum() > 200
    assert find_boxes(outline, 3) == []
    assert find_boxes(np.zeros(SHAPE, np.float32), 3) == []


def test_difference_everywhere_is_framed_by_half_the_sides():
    (box, *_) = find_boxes(np.ones(SHAPE, np.float32), 1)
    assert (box.height, box.width) == (48, 96)


def test_what_is_worth_a_tenth_of_the_first_is_left_out():
    weights = weigh_differences([labels(), labels((40, 88, 90, 180, 3), (4, 12, 4, 12, 3))])
    assert [place(box) for box in find_boxes(weights, 3)] == [(40, 88, 90, 180)]


@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (7, 9), (5, 3)])
def test_small_images(shape):
    for box in find_boxes(np.ones(shape, np.float32), 2):
        assert isinstance(box, Box)
        top, bottom, left, right = place(box)
        assert 0 <= top < bottom <= shape[0]
        assert 0 <= left < right <= shape[1]


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="number of boxes is -1; expected 0 or more"):
        find_boxes(np.zeros(SHAPE, np.float32), -1)
