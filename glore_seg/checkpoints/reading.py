"""Read a file of weights, of any format, without running code from it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glore_seg.checkpoints.pdparams import read_pdparams
from glore_seg.compat.checkpoints import load_weights
from glore_seg.errors import CheckpointError
from glore_seg.utils.safetensors_io import read_safetensors

# Keys of the state dict in checkpoints of training frameworks.
_NESTS = ("state_dict", "model", "model_state", "net")


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read names and tensors from a checkpoint.

    ``.pdparams`` is PaddlePaddle's, ``.safetensors`` the format of that name, and anything else
    is torch's, read with ``weights_only=True``. Nests such as ``state_dict`` are opened and
    DataParallel's prefix ``module.`` is removed.

    Args:
        path: The file.

    Returns:
        Names to tensors on the CPU.

    Raises:
        CheckpointError: The file is missing, corrupted, no checkpoint, holds something other than
            tensors, or would run code.
        MissingDependencyError: It is a ``.safetensors`` file and the library is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"checkpoint {path} does not exist; give the path of a file")
    if path.suffix == ".pdparams":
        found: Any = {name: _tensor(array) for name, array in read_pdparams(path).items()}
    elif path.suffix == ".safetensors":
        found = read_safetensors(path)
    else:
        found = load_weights(path, "cpu")
    if isinstance(found, Mapping):
        found = next((found[n] for n in _NESTS if isinstance(found.get(n), Mapping)), found)
    if not isinstance(found, Mapping) or not found:
        raise CheckpointError(f"{path} holds a {type(found).__name__}; expected names and tensors")
    wrong = [name for name, value in found.items() if not isinstance(value, Tensor)]
    if wrong:
        raise CheckpointError(
            f"{path} holds something other than tensors under {wrong[:3]}; expected a state dict, "
            f"alone or under one of {_NESTS}"
        )
    state = {str(name): value for name, value in found.items()}
    return strip_prefix(state, "module.") if all(n.startswith("module.") for n in state) else state


def strip_prefix(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the part of a state dict below a prefix, or all of it if no name has the prefix."""
    part = {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}
    return part or dict(state)


def _tensor(array: np.ndarray) -> Tensor:
    if array.dtype == np.uint16:  # PaddlePaddle's bfloat16, which NumPy lacks
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
