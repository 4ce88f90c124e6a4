"""Mutate what every reader reads: each input must give a result or an error.

The readers, the mutations and the rule are those of tests/mutations. Inputs are read in a process
of their own, which may take a set time and memory for each; one that hangs or dies is ended and
counted. What breaks the rule is kept, and read again with --rerun. Ends with 1 where anything did.

Example:
    python -m benchmarks.mutations --inputs 2600 --seed 0
"""

import argparse
import importlib
import json
import multiprocessing
import os
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.common import markdown_table
from glore_seg.utils.progress import track
from tests.mutations.rule import ERROR, RESULT, Files, Reader, judge

READERS = "tests.mutations.readers"
"""The module of the readers."""

_STARTING = 300.0  # seconds for imports, whole inputs and drawing
_MEMORY = 3 << 30  # bytes beyond what the process has when it begins


@dataclass(frozen=True)
class Job:
    """Inputs to read, from one on, and the folder for those that break the rule."""

    reader: int
    count: int
    seed: int
    start: int = 0
    keep: str = ""
    module: str = READERS


def readers_of(module: str) -> Sequence[Reader]:
    """The readers of a module, whose import takes seconds."""
    return importlib.import_module(module).READERS


def keep(folder: Path, reader: Reader, files: Files, verdict: str) -> None:
    """Write an input down for --rerun."""
    name = "".join(c if c.isalnum() else "_" for c in reader.name).strip("_")
    place = folder / f"{name}_{len(list(folder.glob(f'{name}_*'))):03}"
    place.mkdir(parents=True)
    (place / "verdict.json").write_text(json.dumps({"reader": reader.name, "verdict": verdict}))
    for path, content in files.items():
        (place / "files" / path).parent.mkdir(parents=True, exist_ok=True)
        (place / "files" / path).write_bytes(content)


def _work(pipe: Connection) -> None:
    """Read inputs as the jobs tell, in this process."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # decoders print what they stumble over
        os.dup2(quiet, stream)
    warnings.simplefilter("ignore")
    limited = False
    while True:
        job: Job = pipe.recv()
        reader = readers_of(job.module)[job.reader]
        if reader.warm:
            reader.warm()
        inputs = [reader.input(job.seed, number) for number in range(job.start, job.count)]
        if not limited:
            _limit_memory()
            limited = True
        pipe.send(len(inputs))
        for files in inputs:
            verdict = judge(reader, files)
            if verdict not in (RESULT, ERROR):
                keep(Path(job.keep), reader, files, verdict)
            pipe.send(verdict)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


class Readings:
    """A process that reads, and the verdicts on its inputs.

    Args:
        limit: Seconds for one input.
        folder: Where inputs that break the rule go.
        module: The module of the readers.
    """

    def __init__(self, limit: float, folder: Path, module: str = READERS) -> None:
        self._limit, self._folder, self._module = limit, folder, module
        self._process: Any = None
        self.slowest = 0.0

    def of(self, index: int, count: int, seed: int) -> Iterator[str]:
        """Verdicts on the inputs of a reader, one after the other."""
        job = Job(index, count, seed, keep=str(self._folder), module=self._module)
        reader = readers_of(self._module)[index]
        done = 0
        while done < count:
            self._begin()
            self._pipe.send(job)
            drawn = self._next(_STARTING)
            if not isinstance(drawn, int):
                raise RuntimeError(f"{reader.name}: no input could be made: {drawn}")
            while done < count:
                begin = time.monotonic()
                verdict = self._next(self._limit)
                self.slowest = max(self.slowest, time.monotonic() - begin)
                done += 1
                yield verdict
                if self._process is None:  # it was ended, or ended by itself
                    keep(self._folder, reader, reader.input(seed, done - 1), verdict)
                    job = replace(job, start=done)
                    break

    def _begin(self) -> None:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_work, args=(other,), daemon=True)
            self._process.start()
            other.close()

    def _next(self, seconds: float) -> Any:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
            verdict = f"hang: not done after {seconds:g} s"
        except EOFError:
            self._process.join()
            verdict = f"crash: the process ended with {self._process.exitcode}"
        self.end()
        return verdict

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = None


def read_again(folder: Path) -> str:
    """Read an input that was kept."""
    name = json.loads((folder / "verdict.json").read_text())["reader"]
    reader = next(reader for reader in readers_of(READERS) if reader.name == name)
    if reader.warm:
        reader.warm()
    root = folder / "files"
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    return judge(reader, files)


def run(
    readers: Sequence[int], inputs: int, seed: int, limit: float, folder: Path
) -> list[dict[str, Any]]:
    """Read inputs of each reader; return a row for each, and one of the totals."""
    known = readers_of(READERS)
    shares = sum(known[index].share for index in readers)
    readings, rows = Readings(limit, folder), []
    try:
        for index in readers:
            reader, readings.slowest = known[index], 0.0
            count = -(-int(inputs * reader.share) // int(shares)) if shares else 0
            verdicts = Counter[str]()
            for verdict in track(readings.of(index, count, seed), count, reader.name):
                verdicts[verdict if verdict in (RESULT, ERROR) else "violation"] += 1
                if verdict not in (RESULT, ERROR):
                    print(f"{reader.name}: {verdict}", flush=True)
            rows.append(_row(reader.name, verdicts, readings.slowest))
    finally:
        readings.end()
    names = ("inputs", "results", "errors", "violations")
    totals = {name: sum(row[name] for row in rows) for name in names}
    slowest = max((row["slowest, s"] for row in rows), default=0.0)
    return [*rows, {"reader": "all", **totals, "slowest, s": slowest}]


def _row(name: str, verdicts: Counter[str], slowest: float) -> dict[str, Any]:
    return {
        "reader": name,
        "inputs": sum(verdicts.values()),
        "results": verdicts[RESULT],
        "errors": verdicts[ERROR],
        "violations": verdicts["violation"],
        "slowest, s": slowest,
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=2600, help="in all (default: 2600)")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations (default: 0)")
    parser.add_argument("--only", metavar="TEXT", default="", help="readers with it in their name")
    parser.add_argument("--limit", type=float, default=20.0, help="s for an input (default: 20)")
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path("mutation_violations"),
        help="folder for what breaks the rule (default: mutation_violations)",
    )
    parser.add_argument("--rerun", type=Path, metavar="FOLDER", help="read one of these again")
    parser.add_argument("--json", type=Path, help="file for the table")
    args = parser.parse_args(argv)
    if args.rerun:
        verdict = read_again(args.rerun)
        print(verdict)
        return 0 if verdict in (RESULT, ERROR) else 1
    known = readers_of(READERS)
    readers = [i for i, reader in enumerate(known) if args.only in reader.name]
    if not readers:
        names = ", ".join(reader.name for reader in known)
        parser.error(f"--only {args.only!r} names no reader; expected a part of one of: {names}")
    rows = run(readers, args.inputs, args.seed, args.limit, args.keep)
    print(markdown_table(rows))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    if rows[-1]["violations"]:
        print(f"{rows[-1]['violations']} inputs broke the rule; they lie in {args.keep}")
    return 1 if rows[-1]["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
