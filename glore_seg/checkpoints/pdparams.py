"""PaddlePaddle's ``.pdparams`` without PaddlePaddle: a pickle from which only arrays come.

A pickle is a program. This one may name what NumPy's arrays are made of, for which stand-ins are
called that check what they are given; anything else is refused before it is called.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from glore_seg.compat.array_pickles import NUMPY_STAND_INS
from glore_seg.errors import CheckpointError

# Paddle's own table from the names in the network to the names in its framework.
_NAME_TABLE = "StructuredToParameterName@@"


def read_pdparams(path: str | Path) -> dict[str, np.ndarray]:
    """Read names and arrays.

    Args:
        path: A ``.pdparams`` file of ``paddle.save``.

    Returns:
        Names to arrays of numbers.

    Raises:
        CheckpointError: The file is damaged, is no such pickle, or asks for anything but arrays.
    """
    try:
        with Path(path).open("rb") as file:
            found = _ArrayUnpickler(file).load()
    except Exception as error:  # what a hostile or damaged pickle raises cannot be foreseen
        raise CheckpointError(
            f"{path} is not read: {error or type(error).__name__}. Expected names and arrays as "
            "paddle.save writes them; fetch the file again"
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds a {type(found).__name__}; expected names and arrays")
    found.pop(_NAME_TABLE, None)
    arrays = {name: _array(value) for name, value in found.items()}
    wrong = [name for name, value in arrays.items() if value is None]
    if wrong or not all(isinstance(name, str) for name in found):
        raise CheckpointError(f"{path} holds something other than arrays of numbers: {wrong[:3]}")
    return {name: value for name, value in arrays.items() if value is not None}


def _array(value: Any) -> np.ndarray | None:
    if isinstance(value, np.ndarray):
        # A plain copy that can be written, in the byte order of the machine.
        return np.array(value, dtype=value.dtype.newbyteorder("="), subok=False)
    return None


class _ArrayUnpickler(pickle.Unpickler):
    """Knows how NumPy's arrays are made, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for ``module.name``, or refuse it."""
        try:
            return NUMPY_STAND_INS[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which is no array"
            ) from None
