"""Accuracy of action recognition that counts unreadable videos as errors."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.evaluation import AccMetric
from mmaction.registry import METRICS
from mmengine.logging import print_log


@METRICS.register_module()
class CheckedAccMetric(AccMetric):
    """mmaction2's ``AccMetric``, with unreadable videos counted as errors.

    A sample that ``CheckedVideoDataset`` marked ``unreadable`` counts with its class ranked last,
    so as an error in every top k. Their number is reported as ``acc/unreadable`` and in the log.
    Arguments are those of ``AccMetric``.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep a batch of predictions."""
        super().process(data_batch, data_samples)
        for result, sample in zip(
            self.results[len(self.results) - len(data_samples) :], data_samples, strict=True
        ):
            result["unreadable"] = bool(sample.get("unreadable"))
            if result["unreadable"]:
                result["pred"] = np.zeros_like(result["pred"])
                if isinstance(result["label"], int):
                    result["pred"][result["label"]] = -1

    def compute_metrics(self, results: list[dict]) -> dict:
        """Return the scores and the number of unreadable videos."""
        unreadable = sum(result["unreadable"] for result in results)
        if unreadable:
            print_log(
                f"{unreadable} of {len(results)} videos could not be read and count as errors",
                logger="current",
                level=logging.WARNING,
            )
        return {**super().compute_metrics(results), "unreadable": unreadable}
