"""PaddlePaddle's ``.pdparams`` without PaddlePaddle: a pickle from which only arrays come.

A pickle is a program. This one may name what NumPy's arrays are made of, for which stand-ins are
here that check what they are given; anything else is refused before it is called.
"""

import codecs
import pickle
from pathlib import Path
from typing import Any

import numpy as np

# Paddle's own table from the names in the network to the names in its framework.
_NAME_TABLE = "StructuredToParameterName@@"
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")


def read_pdparams(path: str | Path) -> dict[str, np.ndarray]:
    """Read names and arrays.

    Args:
        path: A ``.pdparams`` file of ``paddle.save``.

    Returns:
        Names to arrays of numbers.

    Raises:
        ValueError: The file is damaged, is no such pickle, or asks for anything but arrays.
    """
    try:
        with Path(path).open("rb") as file:
            found = _ArrayUnpickler(file).load()
    except Exception as error:  # what a hostile or damaged pickle raises cannot be foreseen
        raise ValueError(
            f"{path} is not read: {error or type(error).__name__}. Expected names and arrays as "
            "paddle.save writes them; fetch the file again"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a {type(found).__name__}; expected names and arrays")
    found.pop(_NAME_TABLE, None)
    arrays = {name: _array(value) for name, value in found.items()}
    wrong = [name for name, value in arrays.items() if value is None]
    if wrong or not all(isinstance(name, str) for name in found):
        raise ValueError(f"{path} holds something other than arrays of numbers: {wrong[:3]}")
    return {name: value for name, value in arrays.items() if value is not None}


def _array(value: Any) -> np.ndarray | None:
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        value = value[1]  # some releases keep (name in the framework, array)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return np.array(value, dtype=value.dtype.newbyteorder("="))  # a copy that can be written
    return None


class _ArrayUnpickler(pickle.Unpickler):
    """Knows how NumPy's arrays are made, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for ``module.name``, or refuse it."""
        if module in _MULTIARRAY and name == "_reconstruct":
            return _reconstruct
        if module == "numpy" and name == "ndarray":
            return np.ndarray
        if module == "numpy" and name == "dtype":
            return _dtype
        if module == "_codecs" and name == "encode":
            return _encode
        if module in ("builtins", "__builtin__") and name == "bytes":
            return _no_bytes
        if module == "collections" and name == "OrderedDict":
            return dict
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no array")


def _reconstruct(subtype: Any, shape: Any, kind: Any) -> np.ndarray:
    """The empty array that NumPy's pickles begin with; its content follows by ``__setstate__``."""
    if subtype is not np.ndarray or shape != (0,) or kind not in (b"b", "b"):
        raise pickle.UnpicklingError("an array in it begins in a way that NumPy's do not")
    return np.empty((0,), np.int8)


def _dtype(code: Any, *flags: Any) -> np.dtype:
    """A type of numbers; structures and objects are refused."""
    if not isinstance(code, str) or code.lstrip("<>|=")[:1] not in tuple("fiub"):
        raise pickle.UnpicklingError(f"it has an array of {code!r}, which are no numbers")
    # a copy: the pickle sets its byte order afterwards
    return np.dtype(code, False, True)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes of an array as pickle protocol 2 writes them."""
    if encoding not in ("latin1", "latin-1", "iso-8859-1") or not isinstance(text, str):
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return codecs.encode(text, "latin1")


def _no_bytes(*content: Any) -> bytes:
    """The content of an array without elements as pickle protocol 2 writes it."""
    if content:
        raise pickle.UnpicklingError("it makes bytes in a way that NumPy's arrays do not")
    return b""
