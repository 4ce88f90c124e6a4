"""The command line: how many kills of what, a line after each, a table at the end."""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.common import begin, markdown_table
from benchmarks.kills.evaluation import Evaluation
from benchmarks.kills.killing import Tally, kill_often
from benchmarks.kills.packing import Packing
from benchmarks.kills.submission import Submission
from benchmarks.kills.training import Training

KINDS = {kind.name: kind for kind in (Training, Evaluation, Packing, Submission)}


def main(argv: Sequence[str] | None = None) -> int:
    """Kill, compare, print the counts; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        description="Kill (SIGKILL) training, evaluation, packing and submission at random "
        "moments, start each again as a user would, and compare what it ends with to an "
        "undisturbed run, bit for bit.",
        epilog="example: python -m benchmarks.kills --kills 30 --json kills.json",
    )
    parser.add_argument("--kills", type=int, default=30, help="in all (default: 30)")
    parser.add_argument(
        "--what", nargs="+", choices=KINDS, default=[*KINDS], help="default: all four"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here")
    parser.add_argument("--threads", type=int, help="CPU threads of this process, not of the tools")
    args = parser.parse_args(argv)
    if args.kills < len(args.what):
        parser.error(f"--kills is {args.kills}; expected one for each of {', '.join(args.what)}")
    header = begin(args)
    tallies = run(_shares(args.what, args.kills), args.seed)
    print(f"\n{markdown_table([as_row(tally) for tally in tallies])}\n")
    good = not any(tally.problems for tally in tallies)
    for tally in tallies:
        for problem in tally.problems:
            print(f"- {tally.kind}: {problem}")
    runs = sum(tally.runs for tally in tallies)
    print(
        f"kills: {args.kills}, runs compared: {runs}; "
        + ("all equal the undisturbed one, bit for bit" if good else "NOT all are the same")
    )
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        found = {"machine": header, "kinds": [asdict(tally) for tally in tallies]}
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if good else 1


def run(kills: dict[str, int], seed: int) -> list[Tally]:
    """Kill so many of each kind, one after the other."""
    chance = random.Random(seed)  # noqa: S311  no secret
    clock = _Clock(kills)
    tallies = []
    with tempfile.TemporaryDirectory(prefix="glore_seg_kills_") as folder:
        for name, number in kills.items():
            work = KINDS[name](Path(folder) / name / "inputs")
            runs = Path(folder) / name / "runs"
            tallies.append(kill_often(work, runs, number, chance, clock.tell))
    return tallies


def as_row(tally: Tally) -> dict[str, object]:
    """A line of the table."""
    working = [moment for moment in tally.moments if moment >= 0]
    halves = [sum(low <= m < low + 0.5 for m in working) for low in (0.0, 0.5)]
    return {
        "what": tally.kind,
        "kills": len(tally.moments),
        "in starting, first half, second half": (
            f"{len(tally.moments) - len(working)}, {halves[0]}, {halves[1]}"
        ),
        "while a file was written": tally.writing,
        "runs compared": tally.runs,
        "runs that differ": len(tally.differences),
        "corrupted files taken for valid": len(tally.corrupted),
        "files left behind": len(tally.left_behind),
    }


def _shares(names: Sequence[str], kills: int) -> dict[str, int]:
    """Kills of each kind, as evenly as can be."""
    each, more = divmod(kills, len(names))
    return {name: each + (number < more) for number, name in enumerate(names)}


class _Clock:
    """Prints progress and the time left."""

    def __init__(self, kills: dict[str, int]) -> None:
        self._kills = kills
        self._total = sum(kills.values())
        self._begin = time.monotonic()
        self._done = 0

    def tell(self, tally: Tally) -> None:
        """Print a line after a kill."""
        self._done += 1
        moment = tally.moments[-1]
        where = "in starting" if moment < 0 else f"at {moment:.0%} of the work"
        left = (time.monotonic() - self._begin) * (self._total / self._done - 1) / 60
        print(
            f"kill {self._done:2} of {self._total}: {tally.kind} "
            f"{len(tally.moments)} of {self._kills[tally.kind]}, {where}; "
            f"{'; '.join(tally.problems)[:200] or 'nothing wrong so far'}; "
            f"about {left:.0f} min left",
            flush=True,
        )
