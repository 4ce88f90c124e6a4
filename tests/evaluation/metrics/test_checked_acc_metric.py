import pytest
import torch

pytest.importorskip("mmaction")

from mmaction.evaluation import AccMetric

from glore_seg.evaluation.metrics.checked_acc_metric import CheckedAccMetric

SCORES = torch.tensor([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.8, 0.1, 0.1]])
LABELS = (0, 1, 2, 0)


def samples(unreadable=()):
    return [
        {
            "pred_score": score,
            "gt_label": torch.tensor([label]),
            **({"unreadable": "a.mp4 is missing"} if i in unreadable else {}),
        }
        for i, (score, label) in enumerate(zip(SCORES, LABELS, strict=True))
    ]


def scores(metric, given):
    metric.process(None, given[:2])
    metric.process(None, given[2:])
    return metric.evaluate(len(given))


def options():
    return {"metric_options": {"top_k_accuracy": {"topk": (1, 2)}}}


def test_as_mmaction_where_all_is_readable():
    ours = scores(CheckedAccMetric(**options()), samples())
    assert ours.pop("acc/unreadable") == 0
    assert ours == scores(AccMetric(**options()), samples())
    assert ours == {"acc/top1": 0.75, "acc/top2": 1.0, "acc/mean1": pytest.approx(2 / 3)}


def test_unreadable_videos_are_errors():
    given = samples(unreadable=(0, 2))
    assert scores(CheckedAccMetric(**options()), given) == {
        "acc/top1": 0.25,
        "acc/top2": 0.5,
        "acc/mean1": pytest.approx(1 / 6),
        "acc/unreadable": 2,
    }
    assert given[0]["pred_score"].tolist() == SCORES[0].tolist()
