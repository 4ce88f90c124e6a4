"""Classes without ground truth are named beside the means of mmseg's IoUMetric."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmseg.evaluation import IoUMetric

from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.metrics.unseen_classes import warn_of_unseen_classes


@pytest.mark.parametrize(
    ("truth", "told"),
    [([0, 1, 2], None), ([0, 1, 255], "no pixel in the ground truth: c"), ([255], "no score")],
)
def test_iou_metric(truth, told, monkeypatch):
    warnings = []
    name = "glore_seg.evaluation.metrics.unseen_classes.print_log"
    monkeypatch.setattr(name, lambda text, **options: warnings.append(text))
    metric = IoUMetric()
    warn_of_unseen_classes(Evaluator(metric))
    metric.dataset_meta = {"classes": ("a", "b", "c")}
    label = {"data": torch.tensor([truth])}
    metric.process({}, [{"pred_sem_seg": {"data": label["data"] % 255}, "gt_sem_seg": label}])
    scores = metric.evaluate(1)
    assert scores["mIoU"] == pytest.approx(np.nan if truth == [255] else 100, nan_ok=True)
    assert [told in text for text in warnings] == ([True] if told else [])


def test_cityscapes():
    scorer = CityscapesScorer(["road", "car", "sky"])
    prediction, truth = (np.array([values], np.uint8) for values in ([7, 26, 7], [7, 7, 0]))
    scorer.update(prediction, truth, None)
    assert "no pixel in the ground truth: sky, car." in scorer.compute().table()
    scorer.update(np.array([[23, 26]], np.uint8), np.array([[23, 26]], np.uint8), None)
    assert "ground truth" not in scorer.compute().table()
