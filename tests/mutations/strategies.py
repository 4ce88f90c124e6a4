"""Ways to spoil what is whole: bytes, text in tokens, JSON, pickles, command lines."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

CANARY = "../canary"
"""A file beside the given folder that nothing may make."""

WORDS = (
    *("", " ", "None", "True", "nan", "-inf", "0", "-1", "1e400", "9" * 40, "0.5", "abc", "\u0000"),
    *("../../escape", "/etc/passwd", "x" * 5000, "\u202eb", "\x1b[2J", "\ud800", "%s", "{}", "'"),
    *(
        "os.system",
        "builtins.eval",
        "mmengine.load",
        f"__import__('os').mkdir('{CANARY}')",
        "a.pkl",
        "pkl",
        "http://127.0.0.1:9/a.json",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        ".",
        ":",
        "*",
        "**",
        "@",
        "lambda: 0",
        "import os",
        "#",
    ),
    *(
        "\n",
        "\r",
        "\t",
        "\\",
        '"',
        "f'{1}'",
        "[" * 200,
        "-" * 200,
        "dict(",
        "b'\\xff'",
        "1j",
        "...",
    ),
)
"""Tokens that do not belong where they are put."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 7, 10**6, 2**31, 2**63, -(2**64), 10**30, 0.5, -0.0, 1e308),
    *(
        float("nan"),
        float("inf"),
        "",
        "abc",
        "1",
        "/etc/passwd",
        "../..",
        "a\u0000b",
        "\ud800",
        "x" * 5000,
    ),
    *("os.system", "mmseg.GloReHead", "GloReHead", "ReLU", "BN", "evil.yaml", "float32 or print()"),
    *([], {}, [[]], [1, 2], [None], ["a"], [0] * 50, {"type": "os.mkdir", "path": CANARY}),
    *({"type": "ReLU"}, {"a": {"b": {}}}, {"": 1}, {"_delete_": True}, {"_base_": "a.py"}),
)
"""What JSON can hold and nobody expects."""


OF_A_VALUE = ("expected", "must be", "must have", "got", "give")
"""With which our errors about a value of a config go on; they know no file."""


def no_surrogates(text: str) -> bytes:
    """As a file holds it; what UTF-8 cannot write becomes bytes that are no text."""
    return text.encode("utf-8", "surrogatepass")


@st.composite
def spoiled_bytes(draw: Any, wholes: Sequence[bytes], *, most: int = 4) -> bytes:
    """One of the wholes with bits flipped, parts cut out, repeated, moved, or the end cut off."""
    data = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, most))):
        if not data:
            break
        # half of the damage comes to the header, where it does most
        last = len(data) - 1
        place = draw(st.one_of(st.integers(0, min(64, last)), st.integers(0, last)))
        kind = draw(st.sampled_from(("flip", "set", "cut", "end", "repeat", "insert", "number")))
        length = draw(st.integers(1, 64))
        if kind == "flip":
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            data[place] = draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF)))
        elif kind == "cut":
            del data[place : place + length]
        elif kind == "end":
            del data[place:]
        elif kind == "repeat":
            data[place:place] = data[place : place + length] * draw(st.integers(1, 3))
        elif kind == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=16))
        else:
            number = draw(st.sampled_from((0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**24)))
            order = draw(st.sampled_from(("big", "little")))
            data[place : place + 4] = number.to_bytes(4, order)
    return bytes(data)


@st.composite
def spoiled_text(draw: Any, wholes: Sequence[str], *, words: Sequence[str] = WORDS) -> str:
    """One of the wholes with tokens left out, doubled, exchanged or put in."""
    tokens = re.findall(r"\w+|\s+|.", draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(tokens) - 1)))
        kind = draw(st.sampled_from(("drop", "double", "put", "insert", "swap", "end")))
        if kind == "drop":
            del tokens[place : place + draw(st.integers(1, 3))]
        elif kind == "double":
            tokens[place:place] = tokens[place : place + 1]
        elif kind == "put":
            tokens[place : place + 1] = [draw(st.sampled_from(words))]
        elif kind == "insert":
            tokens.insert(place, draw(st.sampled_from(words)))
        elif kind == "swap" and tokens:
            other = draw(st.integers(0, len(tokens) - 1))
            tokens[place], tokens[other] = tokens[other], tokens[place]
        elif kind == "end":
            del tokens[place + 1 :]
    return "".join(tokens)


def paths_within(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where everything is in nested dictionaries and lists."""
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, part in items:
        found += paths_within(part, (*path, key))
    return found


@st.composite
def spoiled_tree(draw: Any, whole: Any, *, values: Sequence[Any] = VALUES) -> Any:
    """Nested dictionaries and lists with values exchanged, left out, renamed or copied about."""
    tree = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        paths = paths_within(tree)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        parent = tree
        for key in path[:-1]:
            parent = parent[key]
        kind = draw(st.sampled_from(("value", "value", "drop", "rename", "copy")))
        if kind == "drop":
            del parent[path[-1]]
        elif kind == "rename" and isinstance(parent, dict):
            parent[draw(st.sampled_from(("", "type", "x", "_scope_", "a.b", "'")))] = parent.pop(
                path[-1]
            )
        elif kind == "copy":
            other: Any = whole
            for key in draw(st.sampled_from(paths_within(whole))):
                other = other[key]
            parent[path[-1]] = copy.deepcopy(other)
        else:
            parent[path[-1]] = copy.deepcopy(draw(st.sampled_from(values)))
    return tree


@st.composite
def spoiled_json(draw: Any, whole: Any, *, values: Sequence[Any] = VALUES) -> bytes:
    """JSON of other values, of another root, or that is none."""
    kind = draw(st.sampled_from(("tree", "tree", "tree", "text", "bytes", "root")))
    if kind == "root":
        return json.dumps(draw(st.sampled_from(values))).encode()
    if kind == "bytes":
        return draw(spoiled_bytes([json.dumps(whole).encode()]))
    if kind == "text":
        return no_surrogates(draw(spoiled_text([json.dumps(whole)])))
    return json.dumps(draw(spoiled_tree(whole, values=values))).encode()


def one_spoiled(files: Mapping[str, bytes], name: str, spoiled: Any) -> Any:
    """The files with one of them spoiled."""
    return spoiled.map(lambda content: {**files, name: content})
