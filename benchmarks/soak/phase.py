"""Runs one phase for some time and samples its resources."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.soak.inputs import Inputs
from benchmarks.soak.usage import usage_of

if TYPE_CHECKING:
    from benchmarks.soak.visitor import Visitor

_REPOSITORY = Path(__file__).parents[2]


@dataclass
class Course:
    """The samples of a phase.

    Args:
        name: Of the phase.
    """

    name: str
    times: list[float] = field(default_factory=list)
    """Seconds since the first sample."""
    rounds: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    """By measure, see :mod:`benchmarks.soak.usage`."""


def run_phase(
    name: str, inputs: Inputs, seconds: float, on_sample: Callable[[Course], None]
) -> Course:
    """Run a phase in a subprocess and kill it at the end.

    Args:
        name: ``"training"``, ``"evaluation"``, ``"submission"`` or ``"page"``.
        inputs: Its inputs.
        seconds: Time from its first round on.
        on_sample: Called after each sample.

    Raises:
        RuntimeError: The process exited, or the web demo returned an unexpected response.
    """
    command = [sys.executable, "-m", "benchmarks.soak.worker", name, str(inputs.folder)]
    with (
        (inputs.folder / f"{name}.txt").open("w+") as log,
        subprocess.Popen(  # noqa: S603  the command is ours
            command,
            cwd=_REPOSITORY,
            env={**os.environ, "TMPDIR": str(inputs.folder)},  # removed with the folder
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            return _follow(name, inputs, seconds, process, on_sample)
        except _EndedError:
            log.seek(0)
            raise RuntimeError(f"{name} exited:\n{log.read()[-3000:]}") from None
        finally:
            process.kill()


class _EndedError(Exception):
    pass


def _follow(
    name: str,
    inputs: Inputs,
    seconds: float,
    process: subprocess.Popen,
    on_sample: Callable[[Course], None],
) -> Course:
    course = Course(name)
    visits = None
    begin = None
    assert process.stdout is not None
    for line in process.stdout:
        if not line.startswith("{"):
            continue  # output of the tool
        found = json.loads(line)
        if "address" in found:
            from benchmarks.soak.visitor import Visitor  # httpx comes with gradio

            visits = _Visits(Visitor(found["address"], inputs.image))
            continue
        if visits is not None:
            found["rounds"] = visits.number()
        now = time.monotonic()
        begin = begin or now
        course.times.append(now - begin)
        course.rounds.append(found.pop("rounds"))
        for measure, value in {**usage_of(process.pid), **found}.items():
            course.values.setdefault(measure, []).append(value)
        on_sample(course)
        if now - begin > seconds:
            if visits is not None:
                visits.end()
            return course
    raise _EndedError


class _Visits:
    """Repeated visits, in a thread of this process."""

    def __init__(self, visitor: "Visitor") -> None:
        self._visitor = visitor
        self._number = 0
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()

    def _visit(self) -> None:
        while not self._ended.is_set():
            try:
                self._visitor.visit()
            except Exception as error:  # raised by number()
                self._error = error
                return
            self._number += 1

    def number(self) -> int:
        """Visits so far."""
        if self._error is not None:
            raise RuntimeError(f"visit {self._number + 1}: {self._error!r}") from self._error
        return self._number

    def end(self) -> None:
        """Stop after the current visit."""
        self._ended.set()
        self._thread.join()
        self.number()
