"""Import optional dependencies, or say how to install them."""

import importlib
from types import ModuleType

from glore_seg.errors import MissingDependencyError

# It works without what it requires: decord (few wheels), opencv-contrib-python (overwrites ours).
_WITHOUT_DEPENDENCIES = {"mmaction": "pip install --no-deps mmaction2"}


# Not an extra: it needs the operators of a full mmcv, which has to be compiled.
_COMMANDS = {"mmdet": "pip install mmdet, and a full mmcv for its operators (docs/faq.md)"}


def require(module: str, extra: str | None = None) -> ModuleType:
    """Import an optional dependency, which an extra of this package installs, or mmdet.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # a missing dependency of the dependency keeps its own message
        if (error.name or "").split(".")[0] != module.split(".")[0]:
            raise
        command = _COMMANDS.get(module, f"pip install 'glore_seg[{extra}]'")
        extra_command = _WITHOUT_DEPENDENCIES.get(module.split(".")[0])
        if extra_command:
            command = f"{command}, then {extra_command}"
        raise MissingDependencyError(f"{module} is not installed: {command}") from error
