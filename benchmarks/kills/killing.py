"""Kill a piece of work at random moments, start it again, and compare what it ends with."""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kills.works import SAID, Work, unfinished

_PER_RUN = 4
_STARTS = 1 / 6
_POLL = 0.01  # seconds


@dataclass
class Tally:
    """What has come of the kills of one kind of work.

    Args:
        kind: Name of the work.
        start: Seconds until an undisturbed run starts its work.
        work: Seconds from there on.
    """

    kind: str
    start: float
    work: float
    moments: list[float] = field(default_factory=list)
    """Share of the undisturbed run's work that was done at each kill; below 0 in starting."""
    writing: int = 0
    """Kills while a file was being written."""
    runs: int = 0
    corrupted: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """All that is wrong."""
        return [*self.corrupted, *self.differences, *self.left_behind]


class ToolError(RuntimeError):
    """A tool failed without being killed."""


def kill_often(
    work: Work, folder: Path, kills: int, chance: random.Random, on_kill: Callable[[Tally], None]
) -> Tally:
    """Kill one kind of work so many times.

    Moments are drawn evenly over the undisturbed run's work, one from each of as many equal
    shares as there are kills. A run is killed up to four times, the earliest moment first, and then
    left to end. One start in six is killed before it starts its work instead.

    Args:
        work: What to kill.
        folder: For its runs.
        kills: How often, at least 1.
        chance: Draws the moments.
        on_kill: Called after each.

    Raises:
        ToolError: The tool failed without being killed.
    """
    undisturbed = folder / "undisturbed"
    tally = Tally(work.name, *_run(work, undisturbed))
    moments = _moments(kills, chance)
    while len(tally.moments) < kills:
        place = folder / f"run_{tally.runs}"
        wanted = min(_PER_RUN, kills - len(tally.moments))
        for moment in sorted(next(moments) for _ in range(wanted)):
            if not _kill(work, place, moment, tally, chance):
                break
            tally.corrupted += work.corrupted(place, undisturbed)
            tally.writing += bool(unfinished(place))
            on_kill(tally)
        _run(work, place)
        tally.runs += 1
        tally.differences += work.differences(place, undisturbed)
        tally.left_behind += unfinished(place)
        if not tally.problems:
            shutil.rmtree(place)
    return tally


def _moments(kills: int, chance: random.Random) -> Iterator[float]:
    """Shares of the work, evenly spread, in random order; anew when all are used up."""
    while True:
        shares = [(number + chance.random()) / kills for number in range(kills)]
        chance.shuffle(shares)
        yield from shares


def _kill(work: Work, place: Path, moment: float, tally: Tally, chance: random.Random) -> bool:
    """Start the work and kill it; say whether it was still running."""
    done, before = work.done(place), work.mark(place)
    process = work.start(place)
    if chance.random() < _STARTS:
        seconds, moment = chance.uniform(0, tally.start), -1.0
    else:
        while process.poll() is None and work.mark(place) == before:
            time.sleep(_POLL)
        # a restart may be beyond the moment already: then it is killed as it starts its work
        moment = max(moment, done)
        seconds = (moment - done) * tally.work
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        tally.moments.append(moment)
        return True
    _require_success(work, place, process)
    return False


def _run(work: Work, place: Path) -> tuple[float, float]:
    """Let it end; return its seconds of starting and of work."""
    before = work.mark(place)
    begin = time.monotonic()
    process = work.start(place)
    begun = None
    while process.poll() is None:
        if begun is None and work.mark(place) != before:
            begun = time.monotonic()
        work.watch(place)
        time.sleep(_POLL)
    _require_success(work, place, process)
    end = time.monotonic()
    return (begun or end) - begin, end - (begun or end)


def _require_success(work: Work, place: Path, process: subprocess.Popen) -> None:
    if process.returncode:
        said = (place / SAID).read_text(errors="replace")
        raise ToolError(
            f"{work.name} ended with {process.returncode} without being killed:\n{said}"
        )
