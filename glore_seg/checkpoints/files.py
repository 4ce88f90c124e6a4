"""Read files of weights of any format without running code from them, and write them atomically."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glore_seg.compat.array_pickles import NUMPY_STAND_INS
from glore_seg.compat.checkpoints import load_weights
from glore_seg.errors import CheckpointError
from glore_seg.utils.files import atomic_write, check_free
from glore_seg.utils.safetensors_io import read_safetensors, write_safetensors

# Keys of the state dict in checkpoints of training frameworks.
_NESTS = ("state_dict", "model", "model_state", "net")
_ENDINGS = (".pth", ".pt", ".safetensors")
# Paddle's table from names in the network to names in its framework.
_PADDLE_TABLE = "StructuredToParameterName@@"
_PDPARAMS = (
    "expected names and arrays as paddle.save(model.state_dict(), FILE) writes them: download a "
    "corrupted file again; load one that nests or slices them with paddle.load, and save them so, "
    "with protocol=4"
)
# PaddlePaddle's other files, by their endings.
_PADDLE_OTHERS = {
    ".pdiparams": "the weights of an exported (inference) model, without the network's names",
    ".pdmodel": "the program of an exported (inference) model",
    ".json": "text, such as the program of an exported (inference) model",
    ".pdopt": "the state of an optimizer",
}


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read names and tensors (on the CPU) from a checkpoint.

    ``.pdparams`` is PaddlePaddle's, ``.safetensors`` the format of that name, and anything else
    is torch's, read with ``weights_only=True``. Nests such as ``state_dict`` are opened and
    DataParallel's prefix ``module.`` is removed.

    Raises:
        CheckpointError: The file is missing, corrupted, no checkpoint, holds something other than
            tensors, or would run code.
        MissingDependencyError: It is a ``.safetensors`` file and the library is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"checkpoint {path} does not exist; give the path of a file")
    if path.suffix in _PADDLE_OTHERS:
        raise CheckpointError(
            f"{path} holds {_PADDLE_OTHERS[path.suffix]}; expected the weights that a training "
            "saves, such as model.pdparams"
        )
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


def read_pdparams(path: str | Path) -> dict[str, np.ndarray]:
    """Read names and arrays from PaddlePaddle's ``.pdparams``, a pickle, without PaddlePaddle.

    A pickle is a program. This one may name the parts of NumPy's arrays, for which checked
    stand-ins are called; anything else is refused before it is called.

    Raises:
        CheckpointError: The file is corrupted, not such a pickle, or holds more than arrays.
    """
    try:
        with Path(path).open("rb") as file:
            found = _ArrayUnpickler(file).load()
    except Exception as error:  # a hostile or corrupted pickle can raise anything
        raise CheckpointError(
            f"{path} is not read: {error or type(error).__name__}; {_PDPARAMS}"
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds a {type(found).__name__}; expected names and arrays")
    found.pop(_PADDLE_TABLE, None)
    wrong = [k for k, v in found.items() if not (type(k) is str and isinstance(v, np.ndarray))]
    if wrong:
        raise CheckpointError(
            f"{path} holds something other than arrays of numbers: {wrong[:3]}; {_PDPARAMS}"
        )
    # Writable copies in the byte order of the machine.
    return {k: np.array(v, v.dtype.newbyteorder("="), subok=False) for k, v in found.items()}


class _ArrayUnpickler(pickle.Unpickler):
    """Finds the parts of NumPy's arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return NUMPY_STAND_INS[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which is not an array"
            ) from None


def _tensor(array: np.ndarray) -> Tensor:
    if array.dtype == np.uint16:  # PaddlePaddle's bfloat16, which NumPy lacks
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def write_state_dict(
    path: str | Path,
    state: dict[str, Tensor],
    *,
    meta: dict[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write names and tensors as mmengine's loaders expect them, or as safetensors.

    ``path`` ends in ``.pth`` or ``.pt`` (torch, under ``state_dict``) or ``.safetensors``; ``meta``
    are texts to store beside them.

    Raises:
        CheckpointError: Another ending.
        OutputError: The file exists and ``overwrite`` is off, or the disk is full or read-only;
            an existing file is unchanged.
        MissingDependencyError: ``.safetensors`` without its library.
    """
    path = Path(path)
    if path.suffix not in _ENDINGS:
        raise CheckpointError(f"{path} ends in {path.suffix!r}; expected one of {_ENDINGS}")
    check_free(path, overwrite=overwrite)
    with atomic_write(path) as temporary:
        if path.suffix == ".safetensors":
            write_safetensors(temporary, state, meta or {})
        else:
            # In memory first: on a full disk torch's file writer ends the process.
            content = io.BytesIO()
            torch.save({"meta": meta or {}, "state_dict": state}, content)
            temporary.write_bytes(content.getbuffer())
