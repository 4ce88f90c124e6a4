import cv2
import numpy as np
import pytest

from glore_seg.evaluation import CITYSCAPES_CLASSES
from glore_seg.visualization import plot_confusion_matrix

# cividis at 0, 50 and 100 percent, blue, green, red
LOW, MIDDLE, HIGH = (78, 34, 0), (120, 123, 124), (55, 232, 254)


def cells(path, count):
    """Colors near a corner of each cell, beside the number, (count, count, 3)."""
    image = cv2.imread(str(path))
    gray = np.all(image == 217, axis=2)
    known = [np.all(np.abs(image - np.array(c, int)) < 3, axis=2) for c in (LOW, MIDDLE, HIGH)]
    inside = np.any([gray, *known], axis=0)
    inside[:, int(inside.shape[1] * 0.8) :] = False  # the color bar
    rows, columns = (np.flatnonzero(inside.sum(axis) > 20) for axis in (1, 0))
    top, left = rows[0], columns[0]
    step = (rows[-1] + 1 - top) / count
    at = ((np.arange(count) + 0.15) * step).round().astype(int)
    return image[np.ix_(top + at, left + at)]


def test_rows_are_shares_and_absent_classes_grey(tmp_path):
    matrix = np.array([[1000, 1000, 0], [0, 3, 0], [0, 0, 0]])
    path = tmp_path / "new" / "confusion.png"
    plot_confusion_matrix(matrix, ("road", "car", "bus"), path)
    expected = [[MIDDLE, MIDDLE, LOW], [LOW, HIGH, LOW], [(217,) * 3] * 3]
    assert np.abs(cells(path, 3).astype(int) - expected).max() <= 3
    assert [file.name for file in path.parent.iterdir()] == ["confusion.png"]


def test_all_of_cityscapes_fits(tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 200, (19, 19)) + np.diag(rng.integers(500, 9000, 19))
    matrix[16] = 0
    plot_confusion_matrix(matrix, CITYSCAPES_CLASSES, tmp_path / "confusion.png")
    height, width = cv2.imread(str(tmp_path / "confusion.png")).shape[:2]
    assert 1000 < height < width < 1600


def test_what_is_no_confusion_matrix_is_refused(tmp_path):
    for matrix, message in (
        (np.ones((3, 2)), r"shape \(3, 2\); expected a row and a column for each of the 2 classes"),
        (-np.eye(2), r"holds -1\.0; expected counts of pixels"),
    ):
        with pytest.raises(ValueError, match=message):
            plot_confusion_matrix(matrix, ("road", "car"), tmp_path / "x.png")
    assert not list(tmp_path.iterdir())
