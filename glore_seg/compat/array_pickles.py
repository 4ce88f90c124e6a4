"""What stands for NumPy in a pickle from a stranger: arrays and scalars of numbers, and no more.

A pickle makes an array by calling NumPy's own classes with what the file says, and NumPy trusts it:
``ndarray`` takes a buffer of pointers for an array of objects, ``dtype`` flags that lie about its
elements. These stand-ins check all that they are given, and have no state that a file could set.
"""

import codecs
import math
import pickle
import re
from typing import Any, NoReturn

import numpy as np

_NUMBERS = re.compile(r"[<>|=]?([fiub]\d{1,2})")
_ORDERS = ("<", ">", "=", "|")


class PickledDtype:
    """Stands for ``numpy.dtype``: a type of numbers, and their byte order."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        match = _NUMBERS.fullmatch(code) if type(code) is str else None
        if match is None:
            _refuse(f"an array of {_shown(code)}, which are no numbers")
        self._code: str = match[1]
        self._order: Any = "="

    def __setstate__(self, state: Any) -> None:
        plain = (None, None, None, -1, -1, 0)  # no fields, no subarray, no flags
        if type(state) is not tuple or len(state) != 8 or state[2:] != plain:
            _refuse("a type of numbers with a structure")
        if type(state[1]) is not str or state[1] not in _ORDERS:
            _refuse(f"the byte order {_shown(state[1])}")
        self._order = state[1]

    def dtype(self) -> np.dtype:
        """The real one."""
        try:
            return np.dtype(self._code).newbyteorder(self._order)
        except TypeError as error:
            raise pickle.UnpicklingError(f"it has numbers of type {self._code}") from error


class PickledArray(np.ndarray):
    """An array as a pickle makes it: empty at first, its content follows by ``__setstate__``.

    It is pickled as a plain array again.
    """

    def __new__(cls, *args: Any) -> NoReturn:
        """Refuse to be called by a file: :class:`Reconstruct` alone makes them."""
        _refuse("an array that is made in another way than NumPy's")

    def __setstate__(self, state: Any) -> None:
        kinds = (int, tuple, PickledDtype, bool, bytes)
        if type(state) is not tuple or tuple(map(type, state)) != kinds or self.size:
            _refuse("the content of an array in another form than NumPy's")
        version, shape, kind, fortran, content = state
        if any(type(side) is not int or side < 0 for side in shape):
            _refuse(f"an array of shape {_shown(shape)}")
        dtype = kind.dtype()
        if math.prod(shape) * dtype.itemsize != len(content):
            _refuse(f"an array of shape {_shown(shape)} with {len(content)} bytes")
        super().__setstate__((version, shape, dtype, fortran, content))

    def __reduce__(self) -> Any:
        return np.array(self, subok=False).__reduce__()


class _StandIn:
    """A callable that a file can call and not change."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> NoReturn:
        _refuse("a function that it changes")


class _Ndarray(_StandIn):
    """Stands for ``numpy.ndarray``, which pickles name and do not call."""

    __slots__ = ()

    def __call__(self, *args: Any) -> NoReturn:
        _refuse("an array that is made in another way than NumPy's")


class _Reconstruct(_StandIn):
    """Stands for ``numpy.core.multiarray._reconstruct``."""

    __slots__ = ()

    def __call__(self, *args: Any) -> np.ndarray:
        if len(args) != 3 or args[0] is not NDARRAY or type(args[1]) is not tuple:
            _refuse("an array that begins in another way than NumPy's")
        if args[1] != (0,) or type(args[2]) not in (bytes, str) or args[2] not in (b"b", "b"):
            _refuse("an array that begins in another way than NumPy's")
        kind: Any = PickledArray  # whose own __new__ is for files
        return np.ndarray.__new__(kind, (0,), np.int8)


class _Scalar(_StandIn):
    """Stands for ``numpy.core.multiarray.scalar``."""

    __slots__ = ()

    def __call__(self, *args: Any) -> np.generic:
        if tuple(map(type, args)) != (PickledDtype, bytes):
            _refuse("a scalar in another form than NumPy's")
        dtype = args[0].dtype()
        if len(args[1]) != dtype.itemsize:
            _refuse(f"a scalar of {len(args[1])} bytes for the type {dtype}")
        return np.frombuffer(args[1], dtype)[0]


class _Encode(_StandIn):
    """Stands for ``_codecs.encode``: bytes as pickle protocol 2 writes them."""

    __slots__ = ()

    def __call__(self, *args: Any) -> bytes:
        if tuple(map(type, args)) != (str, str) or args[1] not in ("latin1", "latin-1"):
            _refuse("text that is encoded in another way than NumPy's bytes")
        return codecs.encode(args[0], "latin1")


class _NoBytes(_StandIn):
    """Stands for ``bytes``: the content of an empty array in pickle protocol 2."""

    __slots__ = ()

    def __call__(self, *args: Any) -> bytes:
        if args:
            _refuse("bytes that are made in another way than NumPy's")
        return b""


NDARRAY = _Ndarray()
RECONSTRUCT = _Reconstruct()
SCALAR = _Scalar()
ENCODE = _Encode()
NO_BYTES = _NoBytes()

NUMPY_STAND_INS: dict[str, Any] = {
    "numpy.ndarray": NDARRAY,
    "numpy.dtype": PickledDtype,
    "_codecs.encode": ENCODE,
    "builtins.bytes": NO_BYTES,
    "__builtin__.bytes": NO_BYTES,
    **{
        f"{module}.{name}": stand_in
        for module in ("numpy._core.multiarray", "numpy.core.multiarray")
        for name, stand_in in (("_reconstruct", RECONSTRUCT), ("scalar", SCALAR))
    },
}
"""Full names in a pickle to what stands for them."""


def _shown(value: Any) -> str:
    """A value of the file for a message; only of types whose repr runs nothing of the file's."""
    return repr(value)[:40] if type(value) in (str, int, bytes) else f"a {type(value).__name__}"


def _refuse(what: str) -> NoReturn:
    raise pickle.UnpicklingError(f"it has {what}")
