"""The classifier of the released video networks, as a head of mmaction2's recognizers."""

from typing import Any

from mmaction.models.heads import I3DHead
from mmengine.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class GloReVideoHead(I3DHead):
    """mmaction2's ``I3DHead`` with the released initialization and logits in float32.

    mmaction2 computes accuracy in NumPy, which has no bfloat16, so ``--amp`` would fail. Names,
    arguments and checkpoints are those of ``I3DHead``.
    """

    def init_weights(self) -> None:
        """Initialize the classifier as released: Xavier, and biases 0."""
        nn.init.xavier_uniform_(self.fc_cls.weight)
        nn.init.zeros_(self.fc_cls.bias)

    def forward(self, x: Tensor, **options: Any) -> Tensor:
        """Return logits, (B, K), in float32 whatever the dtype of the features."""
        return super().forward(x, **options).float()
