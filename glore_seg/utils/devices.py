"""Where networks run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.device import get_device

from glore_seg.errors import ConfigError


def usable_device(device: torch.device | str | None = None) -> torch.device:
    """Return a device that torch can use here.

    Args:
        device: Such as ``"cpu"`` or ``"cuda:1"``. Default: the first GPU where there is one, else
            the CPU.

    Raises:
        ConfigError: Torch knows no such device, or can't use it.
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
        ConfigError: Torch knows no such device.
    """
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise _unusable(name, error) from error


def check_gpus(numbers: Sequence[int]) -> None:
    """Refuse numbers of GPUs that are not there, or that come twice.

    Args:
        numbers: As torch counts the GPUs that ``CUDA_VISIBLE_DEVICES`` leaves.

    Raises:
        ConfigError: There are such.
    """
    given, count = " ".join(map(str, numbers)), torch.cuda.device_count()
    if any(not 0 <= number < count for number in numbers):
        raise ConfigError(
            f"gpus are {given}, and torch finds {count} GPUs here, counted from 0; expected "
            "numbers of those, or leave --gpus out"
        )
    if len(set(numbers)) != len(numbers):
        raise ConfigError(f"gpus are {given}; expected each number once")


def _unusable(device: torch.device | str | None, error: Exception) -> ValueError:
    return ConfigError(
        f"device is {str(device)!r}, which torch cannot use here ({str(error).splitlines()[0]}); "
        "expected cpu, or cuda on a machine that has it"
    )
