"""Check that videos can be read from beginning to end, in several processes, each file once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from glore_seg.datasets.video.reading import UnreadableVideoError, read_frames, scan_video
from glore_seg.errors import DataError
from glore_seg.utils.dependencies import require
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track


@dataclass(frozen=True)
class Problem:
    """Something wrong with a video.

    Args:
        kind: ``"missing"``, ``"unreadable"``, ``"short"``, ``"cut short"``, ``"damaged"``,
            ``"odd rate"``, ``"turned"`` or ``"twice"``.
        detail: A line for people.
    """

    kind: str
    detail: str


Checked = tuple[Problem, ...]


def check_video(path: str | Path, *, min_frames: int) -> Checked:
    """Scan a video and decode its first and last frame.

    Args:
        path: The file.
        min_frames: How many frames a clip spans, at least 1.

    Returns:
        What is wrong with it.
    """
    try:
        scan = scan_video(path)
        _, notes = read_frames(scan, sorted({0, scan.num_frames - 1}))
    except UnreadableVideoError as error:
        return (Problem("unreadable", str(error)),)
    problems = []
    if scan.num_frames < min_frames:
        problems.append(
            Problem(
                "short",
                f"{scan.path} has {scan.num_frames} frames, a clip spans {min_frames}: its frames "
                "are repeated",
            )
        )
    if scan.cut_short:
        problems.append(
            Problem(
                "cut short",
                f"{scan.path} holds {scan.num_frames} of {scan.header_frames} frames",
            )
        )
    if scan.odd_rate():
        problems.append(Problem("odd rate", f"{scan.path}: {scan.odd_rate()}"))
    problems += [Problem(kind, note) for kind, note in notes.items()]
    return tuple(problems)


def check_videos(
    folder: str | Path,
    paths: Sequence[str],
    *,
    cache: str | Path,
    min_frames: int,
    num_workers: int = 1,
    progress: bool = True,
) -> dict[str, Checked]:
    """Check videos, but for those that were checked before and have not changed since.

    Args:
        folder: What ``paths`` start from.
        paths: The files.
        cache: File of results, a line each, that is read and added to: a check that was
            interrupted goes on, and one that is repeated is done at once. A file counts as
            unchanged by its size and time of change.
        min_frames: As for :func:`check_video`.
        num_workers: Processes at work, at least 1.
        progress: Whether to show a bar with the time left.

    Returns:
        What is wrong, by path.

    Raises:
        MissingDependencyError: PyAV is not installed.
        DataError: ``num_workers`` or ``min_frames`` is less than 1.
    """
    if num_workers < 1:
        raise DataError(f"num_workers is {num_workers}; expected at least 1")
    if min_frames < 1:
        raise DataError(f"min_frames is {min_frames}; expected at least 1")
    require("av", "video")  # before the processes start
    folder, cache = Path(folder), Path(cache)
    states = {path: [*_state(folder / path), min_frames] for path in paths}
    done = _read_cache(cache, states)
    todo = [path for path in states if path not in done]
    cache.parent.mkdir(parents=True, exist_ok=True)
    work = partial(_check_one, folder, min_frames)
    with cache.open("a", encoding="utf-8") as file:
        if file.tell() and not _ends_line(cache):
            file.write("\n")
        results = map_in_processes(work, todo, num_workers, chunksize=8)
        for path, found in track(results, len(todo), "videos", show=progress):
            done[path] = found
            entry = {"path": path, "state": states[path], "problems": [asdict(p) for p in found]}
            file.write(json.dumps(entry) + "\n")
            file.flush()
    return {path: done[path] for path in states}


def _check_one(folder: Path, min_frames: int, path: str) -> tuple[str, Checked]:
    return path, check_video(folder / path, min_frames=min_frames)


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _read_cache(cache: Path, states: dict[str, list[int]]) -> dict[str, Checked]:
    """Return what the cache holds of files that are as they were; a half-written line is none."""
    done: dict[str, Checked] = {}
    if not cache.is_file():
        return done
    for line in cache.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            if states.get(entry["path"]) == entry["state"]:
                done[entry["path"]] = tuple(Problem(**problem) for problem in entry["problems"])
        except (ValueError, KeyError, TypeError):
            continue
    return done
