"""Test-time augmentation in the memory of one pass.

Shape legend: B batch, C classes, H, W size of the original image.
"""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_choice
from glore_seg.models.segmentors.lean_logits import Logits, predict_logits

_ROWS = 64  # of an image that softmax works on at a time


@MODELS.register_module()
class AccumulatingSegTTAModel(BaseTTAModel):
    """Averages a segmentor over scales and flips in one buffer; replaces ``SegTTAModel``.

    mmseg's model keeps the logits of all passes. This one adds each pass to one buffer of (C, H, W)
    per image, so memory does not grow with the number of passes. Consecutive passes of one input
    size are added together: with the largest size first in the ``tta_pipeline``, there is no buffer
    yet while it runs. With ``LazyTestTimeAug``, inputs are not all in memory either.

    Logits are resized, cropped and flipped as in mmseg; the result equals the mean over all passes
    up to rounding. A pass may hold several images of one size.

    Args:
        module: The segmentor, mmseg's ``EncoderDecoder`` or a subclass, or its config.
        data_preprocessor: Replaces the segmentor's. Default: the segmentor's.
        average: What is averaged: ``"probabilities"`` (softmax first, as in mmseg) or ``"logits"``
            (as in PaddleSeg). With one output channel, sigmoid replaces softmax.

    Raises:
        ConfigError: ``module`` is not an ``EncoderDecoder``, or ``average`` is unknown.
    """

    def __init__(
        self,
        module: dict | nn.Module,
        data_preprocessor: dict | nn.Module | None = None,
        *,
        average: str = "probabilities",
    ) -> None:
        super().__init__(module, data_preprocessor)
        check_choice("average", average, ("probabilities", "logits"))
        if not isinstance(self.module, EncoderDecoder):
            raise ConfigError(
                f"module is a {type(self.module).__name__}; expected mmseg's EncoderDecoder: use "
                "mmseg's SegTTAModel"
            )
        self.average = average

    @torch.no_grad()
    def test_step(self, data: dict[str, Any]) -> list[SegDataSample]:
        """Predict a batch.

        Args:
            data: From ``TestTimeAug``, ``inputs`` and ``data_samples``, lists by pass of lists by
                image; or from ``LazyTestTimeAug``, ``passes``.

        Returns:
            The samples of the first pass with ``pred_sem_seg`` of shape (1, H, W).
        """
        return self.test_step_with_scores(data)[0]

    @torch.no_grad()
    def test_step_with_scores(
        self, data: dict[str, Any]
    ) -> tuple[list[SegDataSample], list[Tensor]]:
        """Return what :meth:`test_step` does, and for each sample its scores, (C, H, W).

        The scores are the mean probabilities, or softmax (sigmoid with one output) of the mean
        logits.
        """
        results, means = self.mean_scores(data)
        for sample, mean in zip(results, means, strict=True):
            sample.set_data({"pred_sem_seg": PixelData(data=self._decide(mean))})
        if self.average == "logits":
            means = [mean.softmax(0) if len(mean) > 1 else mean.sigmoid() for mean in means]
        return results, means

    @torch.no_grad()
    def mean_scores(self, data: dict[str, Any]) -> tuple[list[SegDataSample], list[Tensor]]:
        """The samples of the first pass, and the mean of each whose maximum is the prediction.

        The means are logits or probabilities, (C, H, W); ``data`` is as for :meth:`test_step`.
        """
        merged: list[Tensor] = []
        results: list[SegDataSample] = []
        waiting: list[tuple[Logits, list[dict]]] = []
        count = 0
        for batch in _passes(data):
            batch = self.module.data_preprocessor(batch, False)
            metas = [sample.metainfo for sample in batch["data_samples"]]
            results = results or batch["data_samples"]
            size = tuple(batch["inputs"].shape[2:])
            if waiting and waiting[0][0].input_size != size:
                self._add_all(merged, waiting)
            logits = predict_logits(self.module, batch["inputs"], metas)
            del batch
            waiting.append((logits, metas))
            if not logits.coarse:  # too large to keep
                self._add_all(merged, waiting)
            del logits
            count += 1
        self._add_all(merged, waiting)
        return results, [total.div_(count) for total in merged]

    def merge_preds(self, data_samples_list: list) -> list:
        """Not used: :meth:`test_step` merges while it predicts."""
        raise NotImplementedError("AccumulatingSegTTAModel merges in test_step")

    def _add_all(self, merged: list[Tensor], waiting: list[tuple[Logits, list[dict]]]) -> None:
        """Add the waiting logits to the sum of each image, and drop them."""
        while waiting:
            logits, metas = waiting.pop(0)
            values = logits.values
            # A sum in half precision would lose digits.
            kind = torch.promote_types(values.dtype, torch.float32)
            for i, meta in enumerate(metas):
                if i == len(merged):
                    size = (values.shape[1], *meta["ori_shape"][:2])
                    merged.append(values.new_zeros(size, dtype=kind))
                self._add(merged[i], logits, i, meta)

    def _add(self, total: Tensor, logits: Logits, index: int, meta: dict) -> None:
        """Add one pass of one image to its sum, (C, H, W)."""
        parts = logits.classes(index, meta, align_corners=self.module.align_corners)
        if self.average == "logits":
            for channel, part in zip(total, parts, strict=True):
                channel += part
            return
        scores = torch.empty_like(total)
        for channel, part in zip(scores, parts, strict=True):
            channel.copy_(part)
        for rows, strip in zip(total.split(_ROWS, 1), scores.split(_ROWS, 1), strict=True):
            rows += strip.softmax(0) if len(total) > 1 else strip.sigmoid()

    def _decide(self, mean: Tensor) -> Tensor:
        """Class indices, (1, H, W)."""
        if len(mean) > 1:
            return mean.argmax(0, keepdim=True)
        if self.average == "logits":
            mean = mean.sigmoid()
        return (mean > self.module.decode_head.threshold).to(mean)


def _passes(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The batch of each pass, created when it is needed if ``passes`` are given."""
    if "passes" in data:
        for images in data["passes"]:
            yield pseudo_collate([make() for make in images])
    else:
        for inputs, samples in zip(data["inputs"], data["data_samples"], strict=True):
            yield {"inputs": inputs, "data_samples": samples}
