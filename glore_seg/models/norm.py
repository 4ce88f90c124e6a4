"""Norms from a config, with the eps of the released networks."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mmcv.cnn import build_norm_layer
from mmengine.registry import MODELS
from torch import nn

from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm

MODELS.register_module("CPUSyncBN", module=SynchronizedBatchNorm)
_RELEASED_EPS = 1e-4


def norm_layer_of(norm_cfg: dict[str, Any] | None, *, ndim: int = 2) -> Callable[[int], nn.Module]:
    """Give the function that makes a config's norms.

    Args:
        norm_cfg: As everywhere in OpenMMLab; ``eps`` is the released 1e-4 unless given. Default:
            BatchNorm.
        ndim: Number of spatial and temporal dimensions, which chooses among BatchNorms.

    Returns:
        A function of the number of channels.
    """
    norm_cfg = dict(norm_cfg or {"type": "BN"})
    if norm_cfg["type"] == "BN" and ndim != 2:
        norm_cfg["type"] = f"BN{ndim}d"
    norm_cfg.setdefault("eps", _RELEASED_EPS)
    return partial(_build_norm, norm_cfg)


def _build_norm(norm_cfg: dict[str, Any], num_features: int) -> nn.Module:
    _, norm = build_norm_layer(norm_cfg, num_features)
    return norm
