"""Products of the unit in half precision, where a sum over positions can overflow.

Shape legend: B batch, N nodes, S states, L positions.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from glore_seg.compat.torch_api import get_autocast_dtype
from glore_seg.compat.torch_api import in_autocast as device_in_autocast


def mean_product(phi: Tensor, b: Tensor) -> Tensor:
    """Eq. 1 divided by the number of positions: (B, S, L), (B, N, L) -> (B, S, N)."""
    length = b.shape[2]
    if phi.dtype != torch.float16:
        return phi @ b.mT / length
    # Divide before the sum, so that it stays in range, and by the square root on either side, so
    # that no factor becomes subnormal in fp16.
    return (phi * length**-0.5) @ (b * length**-0.5).mT


def sums_overflow(unit: Any, x: Tensor) -> bool:
    """Whether a sum over positions that is not divided by L could overflow fp16."""
    return not unit.normalize and compute_dtype(x) == torch.float16


def compute_dtype(x: Tensor) -> torch.dtype:
    """The dtype of matrix products of ``x``: its own, or autocast's."""
    if in_autocast(x) and x.dtype != torch.float64:
        return get_autocast_dtype(x.device.type)
    return x.dtype


def in_autocast(x: Tensor) -> bool:
    """Whether autocast is on for the device of ``x``."""
    return device_in_autocast(x.device.type)


def without_autocast(x: Tensor) -> AbstractContextManager:
    """Switch autocast off; some devices, such as meta, do not have it."""
    return torch.autocast(x.device.type, enabled=False) if in_autocast(x) else nullcontext()
