"""What went wrong within a network, as one line that names the layer and what it was given."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn

from glore_seg.documented_errors import as_line, is_installed, place_of

_KINDS = (RuntimeError, ValueError, IndexError, AssertionError)
LATE = (torch.AcceleratorError,) if hasattr(torch, "AcceleratorError") else ()
"""What a CUDA kernel reports late: it arises elsewhere than it is noticed."""


def explain_network_error(error: BaseException) -> str | None:
    """Explain an error that layers which do not fit each other or the data lead to.

    Torch says which numbers differ, and neither where in the network nor in which setting.

    Args:
        error: With its traceback.

    Returns:
        One line; None where the error came from elsewhere, or through code that is not installed:
        whoever writes a layer needs the traceback of their mistake.
    """
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return (
            f"out of the device's memory ({as_line(error)}): set train_dataloader.batch_size or "
            "the crop's size lower, use --amp, or test with model.test_cfg.mode='slide'"
        )
    if not isinstance(error, _KINDS) or isinstance(error, LATE):
        return None
    if type(error).__module__.startswith("torch._"):  # a compiler's
        return None
    found = _failing_layer(error)
    if found is None:
        return None
    name, layer, shapes = found
    where = f"{name} ({type(layer).__name__})" if name else type(layer).__name__
    given = f", given {' and '.join(shapes)}" if shapes else ""
    return (
        f"the network fails in {where}{given} ({type(error).__name__}: {as_line(error)}; at "
        f"{place_of(error)}); expected layers that fit each other and the data: correct the "
        "config's model, such as in_channels, in_index or num_classes, or the size of the images "
        "or of the batch"
    )


def _failing_layer(error: BaseException) -> tuple[str, nn.Module, list[str]] | None:
    """The innermost layer at work, by its name in the network, and the shapes of its inputs."""
    network = layer = None
    shapes: list[str] = []
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module):
            network = network or owner
            if owner is not layer:
                layer, shapes = owner, []
            shapes = shapes or list(_shapes(frame.f_locals.get("args", ())))
        if network is not None and not is_installed(frame.f_code.co_filename):
            return None
    if network is None or layer is None:
        return None
    names = {id(module): name for name, module in network.named_modules()}
    return names.get(id(layer), "").removeprefix("module."), layer, shapes


def _shapes(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, Tensor):
            yield " x ".join(map(str, value.shape))
        elif isinstance(value, list | tuple):
            yield from _shapes(value)
