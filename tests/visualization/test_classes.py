import numpy as np

from glore_seg.evaluation import CITYSCAPES_CLASSES
from glore_seg.visualization.classes import plot_confusion_matrix


def test_rows_of_the_confusion_matrix_are_percent_of_the_class():
    matrix = np.array([[999, 999, 2], [0, 3, 0], [0, 0, 0]])
    axes = plot_confusion_matrix(matrix, ("road", "car", "bus")).axes[0]
    (image,) = axes.images
    np.testing.assert_allclose(image.get_array()[:2], [[49.95, 49.95, 0.1], [0, 100, 0]])
    assert image.get_array().mask.tolist() == [[False] * 3, [False] * 3, [True] * 3]
    assert (image.norm.vmin, image.norm.vmax, image.cmap.name) == (0, 100, "cividis")
    texts = [(text.get_position(), text.get_text()) for text in axes.texts]
    assert texts == [((0, 0), "50"), ((1, 0), "50"), ((1, 1), "100")]  # below 0.5 % none
    assert [label.get_text() for label in axes.get_yticklabels()] == ["road", "car", "bus"]


def test_all_classes_of_cityscapes_fit():
    figure = plot_confusion_matrix(np.eye(19, dtype=np.int64), CITYSCAPES_CLASSES)
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    for label in [*figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]:
        box = label.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= width
        assert 0 <= box.y0 <= box.y1 <= height
