"""mmseg's IoU metric with the IoU of each class among its results."""

import numpy as np
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS


@METRICS.register_module()
class ClassIoUMetric(IoUMetric):
    """mmseg's ``IoUMetric`` that also returns ``IoU.<class>``, in percent, for every class.

    So the curves of single classes stand in TensorBoard, tables can be made from the log, and
    ``save_best`` can watch one class. A class that neither occurs nor is predicted is ``nan`` and
    left out of the mean, as in mmseg.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Add the IoU of each class to mmseg's averages."""
        metrics = super().compute_metrics(results)
        if self.format_only:
            return metrics
        intersect, union = (
            np.sum([np.asarray(result[i], dtype=np.float64) for result in results], axis=0)
            for i in (0, 1)
        )
        with np.errstate(invalid="ignore"):
            iou = 100 * intersect / union
        for name, value in zip(self.dataset_meta["classes"], iou, strict=True):
            metrics[f"IoU.{name}"] = round(float(value), 2)
        return metrics
