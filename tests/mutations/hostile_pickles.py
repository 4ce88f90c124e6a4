"""Pickles that would run something: each, read freely, makes the canary or worse."""

from __future__ import annotations

import pickle
import struct
from typing import Any

from hypothesis import strategies as st

from tests.mutations.strategies import CANARY, spoiled_bytes

_MAKE = f"__import__('os').mkdir({CANARY!r})"
_CALLS = (
    *(("os", "mkdir", (CANARY,)), ("posix", "mkdir", (CANARY,)), ("os", "system", ("true",))),
    *(("builtins", "eval", (_MAKE,)), ("builtins", "exec", (_MAKE,)), ("pathlib", "Path", ("a",))),
    *(("builtins", "getattr", ("text", "format")), ("builtins", "open", (CANARY, "w"))),
    *(("subprocess", "Popen", (["mkdir", CANARY],)), ("runpy", "run_path", ("a.py",))),
    *(("numpy", "load", ("a.npy",)), ("numpy", "fromfile", ("a",)), ("torch", "load", ("a",))),
    *(("numpy", "dtype", ("O",)), ("numpy", "dtype", ("f4", False, True))),
    *(("numpy", "ndarray", ((2,), "O")), ("numpy.core.multiarray", "scalar", ("f8", b"1"))),
    *(("torch._utils", "_rebuild_tensor_v2", (None, 0, (2**40,), (1,), False, None)),),
    *(("torch", "FloatStorage", (2**50,)), ("torch._utils", "_rebuild_parameter", (1, 2, 3))),
    *(("collections", "OrderedDict", ((("a", 1),),)), ("_codecs", "encode", ("a", "rot13"))),
    *(("mmengine.logging.history_buffer", "HistoryBuffer", ()), ("builtins", "bytes", (2**62,))),
    *(("mmengine.fileio", "load", ("a.pkl",)), ("codecs", "open", (CANARY, "w"))),
    *(("types", "CodeType", ()), ("importlib", "import_module", ("antigravity",))),
)
# Instructions that are short of what they need, or ask for very much.
_ODD = (
    *(
        b"\x80\x05",
        b"\x80\xff",
        b"(",
        b")",
        b"]",
        b"}",
        b"t",
        b"R",
        b"b",
        b"o",
        b"0",
        b"2",
        b"\x81",
    ),
    *(
        b"\x93",
        b"\x92",
        b"Q",
        b"P1\n",
        b"\x94",
        b"h\xff",
        b"j\xff\xff\xff\x7f",
        b"N",
        b"\x88",
        b".",
    ),
    *(b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 7 + b"\x7f", b"\x8d" + struct.pack("<Q", 2**62)),
    *(b"T\xff\xff\xff\x7f", b"X\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f", b"I99\n", b"L9" * 3),
    *(
        b"r\xff\xff\xff\x7f",
        b"p99999999\n",
        b"\x95" + b"\xff" * 8,
        b"\x97",
        b"\x98",
        b"s",
        b"u",
        b"e",
    ),
    *(b"(" * 2000, b"]" * 2000 + b"a" * 1999, b"cos\nmkdir\n", b"\x8c\x02os\x8c\x05mkdir\x93"),
)


def _argument(value: Any) -> bytes:
    return pickle.dumps(value, protocol=2)[2:-1]  # without its begin and its end


def _call(module: str, name: str, arguments: tuple[Any, ...]) -> bytes:
    return f"c{module}\n{name}\n".encode() + _argument(arguments) + b"R"


@st.composite
def hostile_pickles(draw: Any) -> bytes:
    """Calls, states and odd instructions in a row, some of them spoiled once more."""
    calls = [_call(*call) for call in _CALLS]
    parts = draw(
        st.lists(
            st.one_of(
                st.sampled_from(calls),
                st.sampled_from(_ODD),
                st.sampled_from(calls).map(lambda call: call + b"}b"),  # and a state
                st.sampled_from(calls).map(lambda call: b"}" + _argument("w") + call + b"s"),
            ),
            min_size=1,
            max_size=5,
        )
    )
    whole = b"\x80\x02" + b"".join(parts) + b"."
    return draw(spoiled_bytes([whole], most=2)) if draw(st.booleans()) else whole
