"""Norms of a config: the released eps unless given, and the BatchNorm for the dimensions."""

import pytest
from torch import nn

from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm
from glore_seg.models.norm import norm_builder


@pytest.mark.parametrize(
    ("norm_cfg", "ndim", "kind", "eps"),
    [
        (None, 2, nn.BatchNorm2d, 1e-4),
        ({"type": "BN"}, 3, nn.BatchNorm3d, 1e-4),
        ({"type": "SyncBN", "eps": 1e-3}, 2, nn.SyncBatchNorm, 1e-3),
        ({"type": "CPUSyncBN"}, 3, SynchronizedBatchNorm, 1e-4),
        ({"type": "GN", "num_groups": 2}, 2, nn.GroupNorm, 1e-4),
    ],
)
def test_norms(norm_cfg, ndim, kind, eps):
    before = dict(norm_cfg or {})
    norm = norm_builder(norm_cfg, ndim=ndim)(8)
    assert isinstance(norm, kind)
    assert norm.eps == eps
    assert dict(norm_cfg or {}) == before
