"""Optional dependencies: imported where they are needed, named with the command when missing."""

import importlib
from types import ModuleType

from glore_seg.errors import MissingDependencyError

# mmaction2 declares what it can do without: decord, which has wheels for few machines, and
# opencv-contrib-python, which overwrites opencv-python. So no extra names it.
_ALONE = {"mmaction": "pip install --no-deps mmaction2"}


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency.

    Args:
        module: What to import, such as ``"onnxruntime"``.
        extra: The extra of this package that brings it, such as ``"export"``.

    Returns:
        The module.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # What the dependency itself lacks is another matter, and keeps its own message.
        if (error.name or "").split(".")[0] != module.split(".")[0]:
            raise
        command = f"pip install 'glore_seg[{extra}]'"
        alone = _ALONE.get(module.split(".")[0])
        if alone:
            command = f"{command}, then {alone}"
        raise MissingDependencyError(f"{module} is not installed: {command}") from error
