"""Check that videos can be decoded, each file once, in several processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from glore_seg.datasets.video.reading import UnreadableVideoError, read_frames, scan_video
from glore_seg.utils.dependencies import require
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track


@dataclass(frozen=True)
class Problem:
    """A problem of a video.

    Args:
        kind: ``"missing"``, ``"unreadable"``, ``"short"``, ``"truncated"``, ``"corrupted"`` or
            ``"duplicate"``.
        detail: A sentence for the user.
    """

    kind: str
    detail: str


def check_video(path: str | Path, *, min_frames: int) -> tuple[Problem, ...]:
    """Scan a video and decode its first and last frame.

    Args:
        path: The file.
        min_frames: Number of frames that a clip spans.

    Returns:
        Its problems.
    """
    try:
        scan = scan_video(path)
        _, warning = read_frames(scan, sorted({0, scan.num_frames - 1}))
    except UnreadableVideoError as error:
        return (Problem("unreadable", str(error)),)
    problems = []
    if scan.num_frames < min_frames:
        detail = f"{path} has {scan.num_frames} frames; a clip spans {min_frames}, so it repeats"
        problems.append(Problem("short", detail))
    if scan.is_truncated:
        detail = f"{path} holds {scan.num_frames} of {scan.header_frames} frames"
        problems.append(Problem("truncated", detail))
    if warning:
        problems.append(Problem("corrupted", warning))
    return tuple(problems)


def check_videos(
    folder: str | Path,
    paths: Sequence[str],
    *,
    cache: str | Path,
    min_frames: int,
    num_workers: int = 1,
    progress: bool = True,
) -> dict[str, tuple[Problem, ...]]:
    """Check videos, except those that were checked before and have not changed since.

    Args:
        folder: Folder of ``paths``.
        paths: The files.
        cache: File of results, a line each, which is read and appended to, so that an interrupted
            check resumes. A file is unchanged if its size and time are.
        min_frames: As for :func:`check_video`.
        num_workers: Number of processes, at least 1.
        progress: Whether to show a progress bar.

    Returns:
        Problems by path.

    Raises:
        MissingDependencyError: PyAV is not installed.
    """
    require("av", "video")  # before the processes start
    folder, cache = Path(folder), Path(cache)
    stats = {path: (folder / path).stat() for path in paths}
    states = {path: [s.st_size, s.st_mtime_ns, min_frames] for path, s in stats.items()}
    done = _read_cache(cache, states)
    todo = [path for path in states if path not in done]
    cache.parent.mkdir(parents=True, exist_ok=True)
    work = partial(_check_one, folder, min_frames)
    with cache.open("a", encoding="utf-8") as file:
        file.write("\n")  # ends a line that was interrupted
        results = map_in_processes(work, todo, num_workers, chunksize=8)
        for path, found in track(results, len(todo), "videos", show=progress):
            done[path] = found
            entry = {"path": path, "state": states[path], "problems": [asdict(p) for p in found]}
            file.write(json.dumps(entry) + "\n")
            file.flush()
    return {path: done[path] for path in states}


def _check_one(folder: Path, min_frames: int, path: str) -> tuple[str, tuple[Problem, ...]]:
    return path, check_video(folder / path, min_frames=min_frames)


def _read_cache(cache: Path, states: dict[str, list[int]]) -> dict[str, tuple[Problem, ...]]:
    """Return the results of files that have not changed; skip lines that are incomplete."""
    done: dict[str, tuple[Problem, ...]] = {}
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
