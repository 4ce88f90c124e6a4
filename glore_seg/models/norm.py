"""Norms from a config, with the eps of the released networks."""

from collections.abc import Callable
from typing import Any

from mmcv.cnn import build_norm_layer
from mmengine.registry import MODELS
from torch import nn

from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm

MODELS.register_module("CPUSyncBN", module=SynchronizedBatchNorm)


def norm_builder(norm_cfg: dict[str, Any] | None, *, ndim: int = 2) -> Callable[[int], nn.Module]:
    """Return a function from a number of channels to a norm; ``eps`` is 1e-4 unless given.

    The default is BatchNorm, for ``ndim`` spatial and temporal dimensions.
    """
    cfg = {"eps": 1e-4, **(norm_cfg or {"type": "BN"})}
    if cfg["type"] == "BN" and ndim != 2:
        cfg["type"] = f"BN{ndim}d"
    return lambda channels: build_norm_layer(cfg, channels)[1]
