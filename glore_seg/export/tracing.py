"""From a graph in Python to one of operators, for images of any size or of one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from glore_seg.compat.symbolic_sizes import sizes_stay_symbolic
from glore_seg.errors import ConfigError

# Two images: torch takes an axis of length 1 for one that never changes.
_BATCH = 2


def free_axes(sides: int, *, fixed: bool) -> dict[int, str]:
    """Axes of the input that are free, by the names that ONNX files give them.

    Args:
        sides: How many sizes an input has: 2, or 3 for a clip, whose number of frames is fixed.
        fixed: Whether height and width are fixed, too.
    """
    return {0: "batch"} if fixed else {0: "batch", sides: "height", sides + 1: "width"}


def trace(
    graph: nn.Module, size: tuple[int, ...], *, fixed: bool, device: torch.device
) -> ExportedProgram:
    """Trace a graph; nothing is computed.

    Args:
        graph: Takes (N, 3, H, W), or clips (N, 3, T, H, W).
        size: (H, W) or (T, H, W) to trace at, in pixels and frames.
        fixed: Whether the file shall take images of this size alone; their number is free.
        device: Of the graph.

    Raises:
        ConfigError: The network does things that depend on values, or on sizes where they are free.
    """
    axes = free_axes(len(size), fixed=fixed)
    image = torch.zeros(_BATCH, 3, *size, device=device)
    try:
        with torch.no_grad(), sizes_stay_symbolic():
            return torch.export.export(
                graph, (image,), dynamic_shapes=(dict.fromkeys(axes, torch.export.Dim.DYNAMIC),)
            )
    except Exception as error:  # what a network does to be untraceable cannot be foreseen
        sizes = f"{size[-2]} x {size[-1]}" if fixed else "images of any size"
        mend = "" if fixed else ": fix the size by --size HEIGHT WIDTH, if that will do"
        raise ConfigError(
            f"torch.export cannot trace the network for {sizes} ({_first_line(error)}); expected "
            f"one without steps that depend on it{mend}"
        ) from error


def with_exact_pooling(program: ExportedProgram) -> ExportedProgram:
    """Write adaptive average pooling out, whose bins ONNX would keep from the traced size.

    PSPHead, UPerHead and others pool so. The result is that of torch at every size.
    """
    table = torch.export.default_decompositions()
    table[torch.ops.aten.adaptive_avg_pool2d.default] = adaptive_avg_pool2d
    return program.run_decompositions(table)


def adaptive_avg_pool2d(x: Tensor, output_size: Sequence[int]) -> Tensor:
    """Pool (N, C, H, W) to (N, C, *output_size) by two products with the bins' weights."""
    rows, columns = output_size
    if rows == columns == 1:
        return x.mean((-2, -1), keepdim=True)
    return _bins(x.shape[-2], rows, x) @ x @ _bins(x.shape[-1], columns, x).mT


def _bins(length: int, number: int, like: Tensor) -> Tensor:
    """Weights of positions in overlapping bins, (number, length); each row adds up to 1."""
    index = torch.arange(number, device=like.device)
    first = index * length // number
    last = ((index + 1) * length + number - 1) // number  # one behind it
    position = torch.arange(length, device=like.device)
    inside = (position >= first[:, None]) & (position < last[:, None])  # (number, length)
    return inside.to(like.dtype) / (last - first).to(like.dtype)[:, None]


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
