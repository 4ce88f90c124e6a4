import math

import pytest
import torch
from mmseg.registry import METRICS

from glore_seg.evaluation import ClassIoUMetric

CLASSES = ("road", "car", "person", "rider")


def sample(predicted, label):
    return {
        "pred_sem_seg": {"data": torch.tensor([predicted])},
        "gt_sem_seg": {"data": torch.tensor([label])},
        "img_path": "a.png",
    }


@pytest.fixture
def metric():
    metric = METRICS.build({"type": "ClassIoUMetric"})
    assert isinstance(metric, ClassIoUMetric)
    metric.dataset_meta = {"classes": CLASSES}
    return metric


def test_ious_of_a_confusion_written_by_hand(metric):
    # In two pictures, so that areas are summed before they are divided.
    metric.process({}, [sample([[0, 0, 0, 1]], [[0, 0, 1, 1]])])
    metric.process({}, [sample([[0, 1, 2, 2]], [[0, 1, 2, 255]])])
    scores = metric.evaluate(size=2)
    # road: 3 of 4; car: 2 of 3; person: 1 of 1, the other one lies on an ignored pixel.
    assert scores["IoU.road"] == 75.0
    assert scores["IoU.car"] == 66.67
    assert scores["IoU.person"] == 100.0
    assert math.isnan(scores["IoU.rider"])
    assert scores["mIoU"] == pytest.approx((75 + 200 / 3 + 100) / 3, abs=0.005)
    assert scores["aAcc"] == pytest.approx(100 * 6 / 7, abs=0.005)
    assert list(scores)[-4:] == [f"IoU.{name}" for name in CLASSES]


def test_a_class_that_is_predicted_but_absent_counts_as_zero(metric):
    metric.process({}, [sample([[0, 3]], [[0, 0]])])
    scores = metric.evaluate(size=1)
    assert scores["IoU.road"] == 50.0
    assert scores["IoU.rider"] == 0.0
    assert scores["mIoU"] == 25.0


def test_two_evaluations_do_not_add_up(metric):
    for _ in range(2):
        metric.process({}, [sample([[0, 1]], [[0, 0]])])
        assert metric.evaluate(size=1)["IoU.road"] == 50.0


def test_format_only_writes_and_scores_nothing(tmp_path):
    metric = ClassIoUMetric(format_only=True, output_dir=str(tmp_path))
    metric.dataset_meta = {"classes": CLASSES}
    data = sample([[0, 1], [2, 3]], [[0, 0], [0, 0]])
    del data["gt_sem_seg"]
    metric.process({}, [data])
    assert metric.compute_metrics([]) == {}
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
