"""The classifier of the released video networks, as mmaction2's recognizers take it."""

from typing import Any

from mmaction.models.heads import I3DHead
from mmengine.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class GloReVideoHead(I3DHead):
    """mmaction2's ``I3DHead`` with the released initialization and scores in float32.

    mmaction2 counts hits in NumPy, which has no bfloat16: ``--amp`` would end there. Names and
    arguments are those of ``I3DHead``, whose checkpoints fit.
    """

    def init_weights(self) -> None:
        """Initialize the classifier as released: Xavier, and biases 0."""
        nn.init.xavier_uniform_(self.fc_cls.weight)
        nn.init.zeros_(self.fc_cls.bias)

    def forward(self, x: Tensor, **options: Any) -> Tensor:
        """Return scores before softmax, (B, K), in float32 whatever the features are in."""
        return super().forward(x, **options).float()
