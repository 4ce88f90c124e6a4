"""Devices, checked before use."""

from __future__ import annotations

import torch
from mmengine.device import get_device

from glore_seg.errors import ConfigError


def usable_device(device: torch.device | str | None = None) -> torch.device:
    """Return a device that torch can use here; by default the first GPU, else the CPU.

    Raises:
        ConfigError: torch does not know the device, or cannot use it.
    """
    found = named_device(device or get_device())
    try:
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:  # torch asserts CUDA
        raise _unusable(device, error) from error
    return found


def named_device(name: torch.device | str) -> torch.device:
    """Return the device of a name, usable or not.

    Raises:
        ConfigError: torch does not know the device.
    """
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise _unusable(name, error) from error


def _unusable(device: torch.device | str | None, error: Exception) -> ValueError:
    return ConfigError(
        f"device is {str(device)!r}, which torch cannot use here ({str(error).splitlines()[0]}); "
        "expected cpu, or cuda or mps on a machine that has it"
    )
