"""Names classes without ground truth beside the scores of mmseg's ``IoUMetric``."""

import logging
from collections.abc import Callable
from functools import partial

from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric

from glore_seg.evaluation.confusion import describe_unseen


def warn_of_unseen_classes(evaluator: Evaluator | None) -> None:
    """Let each ``IoUMetric`` warn of the classes that have no pixel in the ground truth.

    Its means leave such a class out, or count it as 0 where it is predicted.
    """
    for metric in getattr(evaluator, "metrics", ()):
        is_done = isinstance(metric.compute_metrics, partial)
        if type(metric) is IoUMetric and not metric.format_only and not is_done:
            metric.compute_metrics = partial(_compute, metric, metric.compute_metrics)


def _compute(
    metric: IoUMetric, compute: Callable[[list], dict[str, float]], results: list
) -> dict[str, float]:
    scores = compute(results)
    areas = sum(result[3] for result in results)  # pixels of each class in the ground truth, (K,)
    text = describe_unseen(metric.dataset_meta["classes"], areas)
    if text:
        print_log(text, logger="current", level=logging.WARNING)
    return scores
