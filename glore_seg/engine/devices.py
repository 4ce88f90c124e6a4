"""Where networks run."""

from __future__ import annotations

import torch
from mmengine.device import get_device


def usable_device(device: torch.device | str | None = None) -> torch.device:
    """Return a device that torch can use here.

    Args:
        device: Such as ``"cpu"`` or ``"cuda:1"``. Default: the first GPU where there is one, else
            the CPU.

    Raises:
        ValueError: Torch knows no such device, or can't use it.
    """
    found = named_device(device or get_device())
    try:
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it has CUDA
        raise _unusable(device, error) from error
    return found


def named_device(name: torch.device | str) -> torch.device:
    """Return the device of a name, be it usable or not.

    Raises:
        ValueError: Torch knows no such device.
    """
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise _unusable(name, error) from error


def _unusable(device: torch.device | str | None, error: Exception) -> ValueError:
    return ValueError(
        f"device is {str(device)!r}, which torch cannot use here ({str(error).splitlines()[0]}); "
        "expected cpu, or cuda on a machine that has it"
    )
