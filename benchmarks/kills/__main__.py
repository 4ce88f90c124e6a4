"""The command line: how many kills of what, a line after each, a table at the end."""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.common import begin, markdown_table
from benchmarks.kills.killing import Tally, kill_often
from benchmarks.kills.works import WORKS


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
        "--what", nargs="+", choices=WORKS, default=[*WORKS], help="default: all four"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here")
    parser.add_argument("--threads", type=int, help="CPU threads of this process, not of the tools")
    args = parser.parse_args(argv)
    if args.kills < len(args.what):
        parser.error(f"--kills is {args.kills}; expected one for each of {', '.join(args.what)}")
    header = begin(args)
    chance = random.Random(args.seed)  # noqa: S311  no secret
    each, more = divmod(args.kills, len(args.what))
    tallies = []
    with tempfile.TemporaryDirectory(prefix="glore_seg_kills_") as folder:
        for number, name in enumerate(args.what):
            place = Path(folder) / name
            kills = each + (number < more)
            work = WORKS[name](place / "inputs")
            tallies.append(kill_often(work, place / "runs", kills, chance, print_kill))
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


def print_kill(tally: Tally) -> None:
    """Print a line after a kill."""
    moment = tally.moments[-1]
    where = "in starting" if moment < 0 else f"at {moment:.0%} of the work"
    wrong = "; ".join(tally.problems)[:200] or "nothing wrong so far"
    print(f"{tally.kind}: kill {len(tally.moments)}, {where}; {wrong}", flush=True)


def as_row(tally: Tally) -> dict[str, object]:
    """A line of the table."""
    return {
        "what": tally.kind,
        "kills": len(tally.moments),
        "in starting": sum(moment < 0 for moment in tally.moments),
        "while a file was written": tally.writing,
        "runs compared": tally.runs,
        "files that differ": len(tally.differences),
        "corrupted files taken for valid": len(tally.corrupted),
        "files left behind": len(tally.left_behind),
    }


if __name__ == "__main__":
    sys.exit(main())
