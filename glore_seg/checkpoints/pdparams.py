"""Read PaddlePaddle's ``.pdparams`` without PaddlePaddle: a pickle of arrays, and nothing else.

A pickle is a program. This one may name the parts of NumPy's arrays, for which checked stand-ins
are called; anything else is refused before it is called.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from glore_seg.compat.array_pickles import NUMPY_STAND_INS
from glore_seg.errors import CheckpointError

# Paddle's table from names in the network to names in its framework.
_NAME_TABLE = "StructuredToParameterName@@"


def read_pdparams(path: str | Path) -> dict[str, np.ndarray]:
    """Read names and arrays.

    Args:
        path: A ``.pdparams`` file of ``paddle.save``.

    Raises:
        CheckpointError: The file is corrupted, not such a pickle, or holds more than arrays.
    """
    try:
        with Path(path).open("rb") as file:
            found = _ArrayUnpickler(file).load()
    except Exception as error:  # a hostile or corrupted pickle can raise anything
        raise CheckpointError(
            f"{path} is not read: {error or type(error).__name__}. Expected names and arrays as "
            "paddle.save writes them; download the file again"
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds a {type(found).__name__}; expected names and arrays")
    found.pop(_NAME_TABLE, None)
    wrong = [k for k, v in found.items() if not (type(k) is str and isinstance(v, np.ndarray))]
    if wrong:
        raise CheckpointError(f"{path} holds something other than arrays of numbers: {wrong[:3]}")
    # Writable copies in the byte order of the machine.
    return {k: np.array(v, v.dtype.newbyteorder("="), subok=False) for k, v in found.items()}


class _ArrayUnpickler(pickle.Unpickler):
    """Finds the parts of NumPy's arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of ``module.name``, or refuse it."""
        try:
            return NUMPY_STAND_INS[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which is not an array"
            ) from None
