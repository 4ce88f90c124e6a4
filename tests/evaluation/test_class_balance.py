"""Shares and weights of classes, against counts by hand."""

import numpy as np
import pytest

from glore_seg.errors import DataError
from glore_seg.evaluation import class_balance

LABELS = [
    np.array([[0, 0, 0], [1, 255, 0]], np.uint8),
    np.array([[0, 0, 1], [1, 0, 1]], np.uint8),
    np.array([[0, 0], [0, 0]], np.uint8),
]


def count_classes(labels, classes):
    counts = [np.bincount(label.ravel(), minlength=256) for label in labels]
    return class_balance.count_classes(dict(zip("abc", counts, strict=False)), classes)


def test_counts_and_median_frequency_weights():
    balance = count_classes(LABELS, ["road", "car", "bus"])
    assert balance.pixels.tolist() == [11, 4, 0]
    assert balance.images.tolist() == [3, 2, 0]
    assert balance.shares.tolist() == pytest.approx([11 / 15, 4 / 15, 0])
    assert (balance.num_images, balance.ignored) == (3, 1)
    frequency = [11 / 15, 4 / 11]
    wanted = [sum(frequency) / 2 / f for f in frequency]
    assert balance.weights.tolist() == pytest.approx([*wanted, np.nan], nan_ok=True)


def test_without_pixels():
    balance = count_classes([np.full((2, 2), 255, np.uint8)], ["road"])
    assert np.isnan(balance.weights).all()
    assert balance.as_dict()["classes"][0]["weight"] is None
    assert "100.00 % of their pixels have no class" in balance.table()


def test_table_and_json_say_the_same():
    balance = count_classes(LABELS, ["road", "car"])
    assert "| car   |    26.667 |      2 |  1.508 |" in balance.table()
    assert balance.as_dict()["classes"][1] == {
        "name": "car",
        "pixels": 4,
        "share": pytest.approx(4 / 15),
        "images": 2,
        "weight": pytest.approx((11 / 15 + 4 / 11) / 2 / (4 / 11)),
    }


def test_rejects_other_values():
    with pytest.raises(DataError, match=r"a gives the classes \[2\]"):
        count_classes([np.array([[2]], np.uint8)], ["road", "car"])
