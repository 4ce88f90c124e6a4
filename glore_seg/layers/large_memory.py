"""Memory for large results on the CPU, in huge pages."""

import numpy as np
import torch
from torch import Tensor

# From here on glibc takes fresh pages from the kernel for every tensor, and gives them back.
_LARGE = 32 * 2**20
_ALIGNMENT = 64


def add(x: Tensor, y: Tensor) -> Tensor:
    """Return x + y in the shape and strides of ``x``, in huge pages where it is large.

    A fresh result of 64 MiB costs 16,384 page faults of 4 KiB, more time than a matrix product with
    64 rows over it. NumPy asks the kernel for pages of 2 MiB, at a quarter of that time; torch does
    not unless the environment says ``THP_MEM_ALLOC_ENABLE=1``. So large CPU tensors lie in memory
    of NumPy's; all others, and those of traced graphs, in torch's own.

    Args:
        x: A tensor without gaps or overlaps, such as one in NCHW or channels-last.
        y: A tensor of its dtype that broadcasts to it.
    """
    size = x.numel() * x.element_size()
    if torch.compiler.is_compiling() or x.device.type != "cpu" or size < _LARGE:
        return x + y
    memory = torch.from_numpy(np.empty(size + _ALIGNMENT, dtype=np.uint8))
    start = -memory.data_ptr() % _ALIGNMENT
    # set_ and not a view of the bytes: autograd refuses in-place operations on such views.
    out = torch.empty(0, dtype=x.dtype).set_(
        memory.untyped_storage(), start // x.element_size(), x.shape, x.stride()
    )
    return torch.add(x, y, out=out)
