"""Trace a graph to operators, for images of any size or of one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from glore_seg.compat.symbolic_sizes import sizes_stay_symbolic
from glore_seg.errors import ConfigError

_BATCH = 2  # torch specializes an axis of length 1


def dynamic_axes(sides: int, *, fixed: bool) -> dict[int, str]:
    """Dynamic axes of the input and their names in ONNX files.

    An image has 2 sides, a clip 3, whose number of frames is fixed; ``fixed`` fixes all of them.
    """
    return {0: "batch"} if fixed else {0: "batch", sides: "height", sides + 1: "width"}


def trace(
    graph: nn.Module, size: tuple[int, ...], *, fixed: bool, device: torch.device
) -> ExportedProgram:
    """Trace a graph at (H, W) or (T, H, W); nothing is computed.

    The batch size is dynamic, and with ``fixed`` nothing else.

    Raises:
        ConfigError: The network depends on values, or on dynamic sizes.
    """
    image = torch.zeros(_BATCH, 3, *size, device=device)
    axes = dict.fromkeys(dynamic_axes(len(size), fixed=fixed), torch.export.Dim.DYNAMIC)
    try:
        with torch.no_grad(), sizes_stay_symbolic():
            return torch.export.export(graph, (image,), dynamic_shapes=(axes,))
    except Exception as error:  # torch.export and the network raise various exceptions
        fix = "" if fixed else "; a fixed --size HEIGHT WIDTH may help"
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(f"torch.export cannot trace the network{fix}: {reason}") from error


def with_exact_pooling(program: ExportedProgram) -> ExportedProgram:
    """Decompose adaptive average pooling, whose bins ONNX would keep from the traced size.

    PSPHead, UPerHead and others use it. The result equals torch's at every size.
    """
    table = torch.export.default_decompositions()
    table[torch.ops.aten.adaptive_avg_pool2d.default] = adaptive_avg_pool2d
    return program.run_decompositions(table)


def adaptive_avg_pool2d(x: Tensor, output_size: Sequence[int]) -> Tensor:
    """Pool (N, C, H, W) to (N, C, *output_size) by two matrix products."""
    rows, columns = output_size
    if rows == columns == 1:
        return x.mean((-2, -1), keepdim=True)
    return _bins(x.shape[-2], rows, x) @ x @ _bins(x.shape[-1], columns, x).mT


def _bins(length: int, number: int, like: Tensor) -> Tensor:
    """Weights of positions in overlapping bins, (number, length); each row sums to 1."""
    index = torch.arange(number, device=like.device)
    start = index * length // number
    stop = ((index + 1) * length + number - 1) // number
    position = torch.arange(length, device=like.device)
    inside = (position >= start[:, None]) & (position < stop[:, None])  # (number, length)
    return inside.to(like.dtype) / (stop - start).to(like.dtype)[:, None]
