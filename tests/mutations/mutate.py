"""Ways to mutate what is whole: bytes, text in tokens, JSON, the chunks of a PNG."""

import copy
import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from random import Random
from typing import Any

Files = Mapping[str, bytes]
"""An input: names and contents of the files that are given."""

CANARY = "../canary"
"""A file beside the given folder that nothing may make."""

HARMLESS_WORDS = (
    *("", " ", "None", "True", "nan", "-inf", "0", "-1", "1e400", "9" * 40, "0.5", "abc", "\0"),
    *("../../escape", "/etc/passwd", "x" * 5000, "\u202eb", "\x1b[2J", "\ud800", "%s", "{}", "'"),
    *("os.system", "builtins.eval", "mmengine.load", "a.pkl", "http://127.0.0.1:9/a.json"),
    *("lambda: 0", "[" * 200, "-" * 200, "dict(", "b'\\xff'", "1j", "f'{1}'", "\n", "\r", "\t"),
    *'()[]{},=.:*@#\\"',
)
WORDS = (*HARMLESS_WORDS, "import os", f"__import__('os').mkdir('{CANARY}')")
"""Tokens that do not belong where they are put; the last ones would run something."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 7, 10**6, 2**31, 2**63, -(2**64), 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), "", "abc", "1", "/etc/passwd", "a\0b", "\ud800", "x" * 5000),
    *("os.system", "mmseg.GloReHead", "GloReHead", "BN", "evil.yaml", "float32 or print()"),
    *([], {}, [[]], [1, 2], [None], ["a"], [0] * 50, {"type": "os.mkdir", "path": CANARY}),
    *({"type": "ReLU"}, {"a": {"b": {}}}, {"": 1}, {"_delete_": True}, {"_base_": "a.py"}),
)
"""What JSON can hold and nobody expects."""


def mutate_bytes(rng: Random, whole: bytes) -> bytes:
    """Flip bits, set bytes and numbers, cut parts out, repeat or insert some, cut the end off."""
    data = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        last = len(data) - 1
        at = rng.randint(0, min(64, last) if rng.random() < 0.5 else last)  # headers matter most
        length = rng.randint(1, 64)
        kind = rng.randrange(7)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = data[at : at + length] * rng.randint(1, 3)
        elif kind == 5:
            data[at:at] = rng.randbytes(rng.randint(1, 16))
        else:
            number = rng.choice((0, 1, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**32 - 1))
            data[at : at + 4] = number.to_bytes(4, rng.choice(("big", "little")))
    return bytes(data)


def mutate_tokens(rng: Random, tokens: Sequence[str], words: Sequence[str] = WORDS) -> list[str]:
    """Leave tokens out, double, exchange or insert some."""
    found = [*tokens]
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randint(0, max(0, len(found) - 1)), rng.randrange(6)
        if kind == 0:
            del found[at : at + rng.randint(1, 3)]
        elif kind == 1:
            found[at:at] = found[at : at + 1]
        elif kind == 2:
            found[at : at + 1] = [rng.choice(words)]
        elif kind == 3:
            found.insert(at, rng.choice(words))
        elif kind == 4 and found:
            other = rng.randrange(len(found))
            found[at], found[other] = found[other], found[at]
        elif kind == 5 and rng.random() < 0.3:
            del found[at + 1 :]
    return found


def mutate_text(rng: Random, text: str) -> str:
    """Mutate the tokens of a text."""
    return "".join(mutate_tokens(rng, re.findall(r"\w+|\s+|.", text)))


def as_bytes(text: str) -> bytes:
    """Text as a file holds it; what UTF-8 cannot write becomes bytes that are no text."""
    return text.encode("utf-8", "surrogatepass")


def paths_within(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where everything is in nested dictionaries and lists."""
    found = [path] if path else []
    items: Any = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value) if isinstance(value, list) else items:
        found += paths_within(part, (*path, key))
    return found


def mutate_tree(rng: Random, whole: Any) -> Any:
    """Exchange, leave out, rename or copy about values in nested dictionaries and lists."""
    tree = copy.deepcopy(whole)
    for _ in range(rng.randint(1, 3)):
        paths = paths_within(tree)
        if not paths:
            break
        *above, last = rng.choice(paths)
        parent, kind = tree, rng.randrange(5)
        for key in above:
            parent = parent[key]
        if kind == 0:
            del parent[last]
        elif kind == 1 and isinstance(parent, dict):
            parent[rng.choice(("", "type", "x", "_scope_", "a.b", "'"))] = parent.pop(last)
        elif kind == 2:
            other = whole
            for key in rng.choice(paths_within(whole)):
                other = other[key]
            parent[last] = copy.deepcopy(other)
        else:
            parent[last] = copy.deepcopy(rng.choice(VALUES))
    return tree


def mutate_json(rng: Random, content: bytes) -> bytes:
    """JSON of other values, of another root, or that is none; of one line where there are more."""
    lines = content.split(b"\n")
    at = rng.choice([i for i, line in enumerate(lines) if line])
    kind = rng.randrange(6)
    if kind == 0:
        lines[at] = json.dumps(rng.choice(VALUES)).encode()
    elif kind == 1:
        lines[at] = mutate_bytes(rng, lines[at])
    elif kind == 2:
        lines[at] = as_bytes(mutate_text(rng, lines[at].decode()))
    else:
        lines[at] = json.dumps(mutate_tree(rng, json.loads(lines[at]))).encode()
    return b"\n".join(lines)


def mutate_png(rng: Random, data: bytes) -> bytes:
    """Mutate the bytes, or one chunk of a PNG, whose length and checksum are right again."""
    if data[12:16] != b"IHDR" or rng.random() < 0.5:
        return mutate_bytes(rng, data)
    at, chunks = 8, []
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    at = rng.randrange(len(chunks))
    name, content = chunks[at]
    if name == b"IDAT" and rng.random() < 0.5:
        content = zlib.compress(mutate_bytes(rng, zlib.decompress(content)))
    else:
        content = mutate_bytes(rng, content)
    chunks[at] = (rng.choice((name, name, name, b"tRNS", b"PLTE", b"IHDR")), content)
    return data[:8] + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def mutate_file(rng: Random, name: str, content: bytes) -> bytes:
    """Mutate a file as its suffix tells."""
    suffix = PurePath(name).suffix
    if suffix in (".json", ".jsonl"):
        return mutate_json(rng, content)
    if suffix in (".txt", ".csv"):
        return as_bytes(mutate_text(rng, content.decode()))
    return mutate_png(rng, content)


def one_of(wholes: Callable[[], Sequence[Files]], *names: str) -> Callable[[Random], Files]:
    """Draw one of the wholes with one of its files mutated, of the given names if there are any."""

    def draw(rng: Random) -> Files:
        files = rng.choice(wholes())
        name = rng.choice(names or sorted(files))
        if rng.random() < 0.1:
            return files
        return {**files, name: mutate_file(rng, name, files[name])}

    return draw
