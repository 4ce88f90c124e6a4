"""A pre-activation network with its classifier, in plain torch."""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from glore_seg.layers.preact.network import PreActNet


class PreActClassifier(nn.Module):
    """:class:`PreActNet`, average pooling and one linear layer.

    Its parameters have the names of mmpretrain's ``ImageClassifier`` with
    :class:`glore_seg.models.GloRePreActNet`, so that checkpoints fit both.

    Args:
        arch: See :class:`PreActNet`.
        num_classes: Number of classes.
        **options: Other arguments of :class:`PreActNet`, except ``out_indices``.

    Shape:
        - Input: (B, in_channels, H, W)
        - Output: logits, (B, num_classes)

    Raises:
        ConfigError: As :class:`PreActNet`.

    Example:
        >>> import torch
        >>> PreActClassifier("resnet18", num_classes=10, width=0.25)(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """

    def __init__(self, arch: str, *, num_classes: int = 1000, **options: Any) -> None:
        super().__init__()
        self.backbone = PreActNet(arch, out_indices=(3,), **options)
        linear = nn.Linear(self.backbone.feature_channels[-1], num_classes)
        self.head = nn.Sequential(OrderedDict(fc=linear))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        (features,) = self.backbone(x)  # (B, C, H / 32, W / 32)
        return self.head(features.mean((2, 3)))
