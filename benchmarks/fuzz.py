"""Let coverage choose the inputs of two parsers, beside those that mutations.py draws.

atheris, which does it, has wheels for few Pythons and is in no extra: `pip install atheris` first.
Options behind the name are libFuzzer's. What breaks the rule ends it, and lies in crash-*.

Example:
    python -m benchmarks.fuzz pdparams -runs=100000
    python -m benchmarks.fuzz config -runs=100000
"""

import importlib
import inspect
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutations.readers import READERS
from tests.mutations.rule import ERROR, RESULT, judge

PARSERS = {
    "pdparams": (
        ("hostile pickle as .pdparams", ".pdparams"),
        ("glore_seg.checkpoints.files", "glore_seg.compat.array_pickles"),
    ),
    "config": (
        ("config text in a checkpoint",),
        ("glore_seg.checkpoints.configs", "glore_seg.checkpoints.untrusted_config"),
    ),
}
"""The readers whose inputs it begins with, the first of which reads, and what is instrumented."""


def main(argv: Sequence[str] | None = None) -> None:
    name, *options = sys.argv[1:] if argv is None else argv
    import atheris

    names, modules = PARSERS[name]
    readers = [reader for each in names for reader in READERS if reader.name == each]
    for module in map(importlib.import_module, modules):
        own = [part for part in vars(module).values() if getattr(part, "__module__", "") in modules]
        for part in own + [p for kind in own if inspect.isclass(kind) for p in vars(kind).values()]:
            if inspect.isfunction(part):
                atheris.instrument_func(part)
    with tempfile.TemporaryDirectory() as corpus:
        for number, files in enumerate(f for reader in readers for f in reader.inputs(100, 0)):
            (Path(corpus) / str(number)).write_bytes(next(iter(files.values())))
        (file,) = readers[0].inputs(1, 0)[0]

        def read(data: bytes) -> None:
            verdict = judge(readers[0], {file: data})
            if verdict not in (RESULT, ERROR):
                raise AssertionError(verdict)

        atheris.Setup([sys.argv[0], *options, corpus], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
