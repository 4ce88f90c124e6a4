"""What differs between the releases of torch that this package runs with.

torch 2.4 and later are supported in full, but for export, which needs 2.6. With 2.1 to 2.3 the
layers, heads, necks and backbones work, also under mmsegmentation's own tools; what needs more says
so by :func:`require_torch`.
"""

from typing import Any

import torch

from glore_seg.errors import MissingDependencyError

TORCH = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
"""Installed release of torch, such as ``(2, 13)``."""

FULLY_SUPPORTED = (2, 4)
"""The oldest release of torch that everything but export works with."""

EXPORT = (2, 6)
"""The oldest release whose ``torch.export`` and ONNX exporter take sizes that stay free."""


def require_torch(feature: str, least: tuple[int, int] = FULLY_SUPPORTED) -> None:
    """Refuse what the installed torch is too old for.

    Args:
        feature: What needs a newer one, for the message.
        least: The oldest release that has what is needed.

    Raises:
        MissingDependencyError: The installed torch is older.
    """
    if least > TORCH:
        number = ".".join(map(str, least))
        raise MissingDependencyError(
            f"{feature} needs torch >= {number}, but torch {torch.__version__} is installed: "
            f"pip install 'torch>={number}'"
        )


_named_globals: dict[str, Any] = {}


def add_safe_globals(entries: list[Any]) -> None:
    """``torch.serialization.add_safe_globals``, which takes pairs only since torch 2.6.

    Args:
        entries: Classes and functions, or pairs of one and its full name in a file.

    Raises:
        MissingDependencyError: torch is older than 2.4.
    """
    require_torch("torch.serialization.add_safe_globals")
    if TORCH >= (2, 6):
        torch.serialization.add_safe_globals(entries)
        return
    if not _named_globals:
        # Not public, and the one place that 2.4 and 2.5 take names from.
        unpickler: Any = torch._weights_only_unpickler
        original = unpickler._get_user_allowed_globals
        unpickler._get_user_allowed_globals = lambda: {**original(), **_named_globals}
    for entry in entries:
        value, name = (
            entry if isinstance(entry, tuple) else (entry, f"{entry.__module__}.{entry.__name__}")
        )
        _named_globals[name] = value


if TORCH >= (2, 4):
    # The functions themselves: torch.compile knows them.
    is_compiling = torch.compiler.is_compiling
    get_autocast_dtype = torch.get_autocast_dtype

    def in_autocast(device: str) -> bool:
        """Whether autocast is on for a type of device, such as ``"cuda"``."""
        # torch 2.4 cannot compile is_autocast_available.
        available = is_compiling() or torch.amp.is_autocast_available(device)
        return available and torch.is_autocast_enabled(device)

else:

    def is_compiling() -> bool:
        """Whether ``torch.compile`` is at work, which these releases cannot tell."""
        return False

    def get_autocast_dtype(device_type: str) -> torch.dtype:
        """Data type of autocast for a type of device that it is on for."""
        return (
            torch.get_autocast_cpu_dtype()
            if device_type == "cpu"
            else torch.get_autocast_gpu_dtype()
        )

    def in_autocast(device: str) -> bool:
        """Whether autocast is on for a type of device: these releases know two."""
        if device == "cpu":
            return torch.is_autocast_cpu_enabled()
        return device == "cuda" and torch.is_autocast_enabled()
