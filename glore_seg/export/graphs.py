"""Networks of OpenMMLab as modules from one image tensor to one output tensor.

Shape legend: N images or clips, K classes, T frames, H, W size of an image, h, w of the logits.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmseg.models.utils import resize
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.layers.evaluation_order import Order
from glore_seg.models.segmentors.lean_logits import only_resizes


class SegmentationGraph(nn.Module):
    """A segmentor on preprocessed images, in mode "whole", without test-time augmentation.

    (N, 3, H, W) to logits (N, K, h, w), with ``resized`` (N, K, H, W); with ``argmax`` to labels
    (N, h, w) or (N, H, W).

    Raises:
        ConfigError: The segmentor does more than resize and ``resized`` is off, or it has one logit
            for two classes and ``argmax`` is off.
    """

    def __init__(self, segmentor: Any, *, resized: bool, argmax: bool) -> None:
        super().__init__()
        self.usual = only_resizes(segmentor)
        if not (self.usual or resized):
            raise ConfigError(
                f"{type(segmentor).__name__} with {type(segmentor.decode_head).__name__} does more "
                "than resize its logits: leave --no-resize out"
            )
        self.segmentor = segmentor
        self.resized = resized
        self.argmax = argmax
        head: Any = segmentor.decode_head
        head = head[-1] if isinstance(head, nn.ModuleList) else head
        self.align_corners = bool(head.align_corners)
        self.num_classes = head.num_classes
        self.threshold = head.threshold if head.out_channels == 1 else None
        if self.threshold is not None and not argmax:
            raise ConfigError(
                "the network has one logit for two classes, which a threshold separates; "
                "expected labels as the output: add --argmax"
            )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits or labels."""
        size = image.shape[2:]
        if self.usual:
            logits = self.segmentor.decode_head(self.segmentor.extract_feat(image))  # (N, K, h, w)
            if self.resized:
                logits = resize(
                    logits, size, mode="bilinear", align_corners=self.align_corners, warning=False
                )  # (N, K, H, W)
        else:
            logits = self.segmentor.encode_decode(image, [{"img_shape": size}])  # (N, K, H, W)
        if not self.argmax:
            return logits
        if self.threshold is not None:  # one logit for two classes, as mmseg's own
            return (logits[:, 0].sigmoid() > self.threshold).to(torch.uint8)
        return _labels(logits)


class ClassificationGraph(nn.Module):
    """A classifier, mmpretrain's ``ImageClassifier``, with one head, on preprocessed images.

    (N, 3, H, W) to logits (N, K); with ``argmax`` to labels (N,).
    """

    head = "head"
    align_corners = resized = False

    def __init__(self, network: nn.Module, *, resized: bool, argmax: bool) -> None:
        super().__init__()
        self.network = network
        self.argmax = argmax
        self.num_classes = getattr(network, self.head).num_classes

    def forward(self, image: Tensor) -> Tensor:
        """Return logits or labels."""
        logits = self._logits(image)  # (N, K)
        return _labels(logits) if self.argmax else logits

    def _logits(self, image: Tensor) -> Tensor:
        return self.network(image, mode="tensor")


class VideoGraph(ClassificationGraph):
    """A recognizer, mmaction2's ``Recognizer3D``, on preprocessed clips (N, 3, T, H, W)."""

    head = "cls_head"

    def _logits(self, image: Tensor) -> Tensor:
        return self.network(image[:, None], mode="tensor", stage="head")  # (N, 1, 3, T, H, W)


GRAPHS: Mapping[str, Callable[..., SegmentationGraph | ClassificationGraph]] = {
    "segmentation": SegmentationGraph,
    "classification": ClassificationGraph,
    "video": VideoGraph,
}
"""Task of a config to the graph of its networks."""


def use_order(model: nn.Module, order: Order) -> None:
    """Set the order of the matrix products of all GloRe units of a network."""
    for module in model.modules():
        if isinstance(module, GloReUnit):
            module.order = order


def _labels(logits: Tensor) -> Tensor:
    labels = logits.argmax(1)
    return labels.to(torch.uint8) if logits.shape[1] <= 256 else labels
