import numpy as np

from glore_seg.visualization.errors import paint_errors


def test_wrong_is_orange_right_is_dim_ignored_is_black():
    image = np.full((1, 3, 3), 100, np.uint8)
    prediction = np.array([[1, 1, 1]], np.uint8)
    truth = np.array([[1, 2, 255]], np.uint8)
    assert paint_errors(image, prediction, truth).tolist() == [
        [[60, 60, 60], [255, 140, 0], [0, 0, 0]]
    ]
