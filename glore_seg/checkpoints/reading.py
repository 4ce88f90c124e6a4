"""Read a file of weights, whatever it is, without running anything that it says."""

import pickle
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

# Where training frameworks keep the state dict within a checkpoint, the first that is there.
_NESTS = ("state_dict", "model", "model_state", "net")


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read names and tensors from a checkpoint, by the ending of its name.

    ``.pdparams`` is PaddlePaddle's, ``.safetensors`` the format of that name, and anything else
    is torch's, read with ``weights_only=True``. Nests such as ``state_dict`` are opened and the
    prefix ``module.`` of DataParallel is taken off.

    Args:
        path: The file.

    Returns:
        Names to tensors on the CPU.

    Raises:
        CheckpointError: There is no such file.
        CheckpointError: It is no checkpoint, is damaged, holds something other than tensors, or would
            run code.
        ImportError: It is a ``.safetensors`` file and the library is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"checkpoint {path} does not exist; give the path of a file")
    if path.suffix == ".pdparams":
        found: Any = {name: _tensor(array) for name, array in read_pdparams(path).items()}
    elif path.suffix == ".safetensors":
        found = read_safetensors(path)
    else:
        found = _read_torch(path)
    return _names_to_tensors(found, path)


def _read_torch(path: Path) -> Any:
    try:
        return load_weights(path, "cpu")
    except pickle.UnpicklingError as error:
        raise CheckpointError(str(error)) from error


def _names_to_tensors(found: Any, path: Path) -> dict[str, Tensor]:
    for nest in _NESTS:
        if isinstance(found, Mapping) and isinstance(found.get(nest), Mapping):
            found = found[nest]
            break
    if not isinstance(found, Mapping) or not found:
        raise CheckpointError(f"{path} holds a {type(found).__name__}; expected names and tensors")
    wrong = [name for name, value in found.items() if not isinstance(value, Tensor)]
    if wrong:
        raise CheckpointError(
            f"{path} holds something other than tensors under {wrong[:3]}; expected a state dict, "
            f"alone or under one of {_NESTS}"
        )
    names = [str(name) for name in found]
    prefix = "module." if all(name.startswith("module.") for name in names) else ""
    return {
        name.removeprefix(prefix): value for name, value in zip(names, found.values(), strict=True)
    }


def _tensor(array: np.ndarray) -> Tensor:
    if array.dtype == np.uint16:  # as PaddlePaddle gives bfloat16 to NumPy, which has none
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
