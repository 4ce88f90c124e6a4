"""Convert Kinetics' CSV files and a folder of videos to mmaction2's lists."""

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from glore_seg.datasets.video.reading import UnreadableVideoError, read_frames, scan_video
from glore_seg.errors import DataError
from glore_seg.utils.dependencies import require
from glore_seg.utils.files import atomic_write, explain_write_error, read_lines, write_lines
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track

CLASSES_FILE = "kinetics400_classes.txt"
LIST_FILE = "kinetics400_{}_list_videos.txt"  # mmaction2's name
PROBLEMS_FILE = "kinetics400_{}_problems.csv"
CHECKED_FILE = "kinetics400_checked.jsonl"
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov")
_SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}
_NOT_LISTED = {"missing", "unreadable"}

Problem = tuple[str, str]
"""A kind (``"missing"``, ``"unreadable"``, ``"short"``, ...) and a sentence for the user."""


class Segment(NamedTuple):
    """A line of the annotations: a part of a video (seconds) with one class, None if unknown."""

    youtube_id: str
    start: int
    end: int
    split: str
    label: str | None

    @property
    def stem(self) -> str:
        """Name of its file without suffix, as the usual downloaders choose it."""
        return f"{self.youtube_id}_{self.start:06d}_{self.end:06d}"


@dataclass
class KineticsReport:
    """Classes in order; listed videos and counts of problems by split; the files written."""

    classes: list[str]
    listed: dict[str, int] = field(default_factory=dict)
    problems: dict[str, Counter[str]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        """Return a line for each split and file."""
        lines = [f"{len(self.classes)} classes"]
        for split, count in self.listed.items():
            found = ", ".join(f"{n} {kind}" for kind, n in sorted(self.problems[split].items()))
            lines.append(f"{split}: {count} videos listed; {found or 'no problems'}")
        return "\n".join([*lines, *(f"wrote {path}" for path in self.files)])


def convert_kinetics(
    annotations: Sequence[str | Path],
    videos: str | Path,
    out: str | Path,
    *,
    classes_file: str | Path | None = None,
    min_frames: int = 57,
    num_workers: int = 1,
    progress: bool = True,
) -> KineticsReport:
    """Write mmaction2's lists of Kinetics' videos, and tables of their problems.

    Writes ``kinetics400_SPLIT_list_videos.txt`` with ``path label`` lines (paths below
    ``videos``), ``kinetics400_classes.txt``, and ``kinetics400_SPLIT_problems.csv``. Missing and
    unreadable videos are not listed; others are: short ones are repeated, and of truncated and
    corrupted ones the rest is used. ``kinetics400_checked.jsonl`` holds what was found in each
    video, so that a run after a kill checks only the others and those that have changed.

    Args:
        annotations: CSV files of Kinetics, of one or more splits.
        videos: Folder with ``ID_000010_000020.mp4`` or ``ID.mp4``, in folders of classes or not.
        out: Folder to write to.
        classes_file: File with a class per line, in the order of labels. Default: all classes of
            ``annotations``, sorted.
        min_frames: Shorter videos are reported; the default is the span of 8 frames at interval 8.
        num_workers: Number of processes, at least 1.
        progress: Whether to show a progress bar.

    Raises:
        MissingDependencyError: PyAV is not installed.
        DataError: A CSV file or the folder of videos is missing or empty, a CSV file or the
            classes do not fit, or ``out`` has a list of another split with other classes.
    """
    require("av", "video")  # before the processes start
    out = Path(out)
    segments = [segment for path in annotations for segment in read_segments(path)]
    report = KineticsReport(class_names(segments, classes_file))
    _check_other_lists(out, report.classes, {segment.split for segment in segments})
    stored = find_videos(videos)
    found = {segment: paths_of(segment, stored) for segment in segments}
    todo = list(dict.fromkeys(paths[0] for paths in found.values() if paths))
    checked_file = out / CHECKED_FILE
    checked = _check_videos(Path(videos), todo, checked_file, min_frames, num_workers, progress)
    numbers = {name: index for index, name in enumerate(report.classes)}
    for split in dict.fromkeys(segment.split for segment in segments):
        lines, rows = [], [("label", "youtube_id", "problem", "detail")]
        for segment in (segment for segment in found if segment.split == split):
            paths = found[segment]
            problems = [("duplicate", f"{paths[0]} is used, not {path}") for path in paths[1:]]
            problems += checked[paths[0]] if paths else [("missing", f"no {segment.stem}")]
            rows += [(segment.label or "", segment.stem, *problem) for problem in problems]
            if _NOT_LISTED.isdisjoint(kind for kind, _ in problems):
                label = numbers[segment.label] if segment.label else ""
                lines.append(f"{paths[0]} {label}".rstrip())
        report.listed[split] = len(lines)
        report.problems[split] = Counter(row[2] for row in rows[1:])
        report.files += [out / LIST_FILE.format(split), out / PROBLEMS_FILE.format(split)]
        write_lines(report.files[-2], lines)
        with atomic_write(report.files[-1]) as path, path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    report.files.append(out / CLASSES_FILE)
    write_lines(report.files[-1], report.classes)
    return report


def check_video(folder: Path, path: str, *, min_frames: int) -> list[Problem]:
    """Scan a video below a folder, decode its first and last frame, and return its problems."""
    try:
        scan = scan_video(folder / path)
        _, warning = read_frames(scan, sorted({0, scan.num_frames - 1}))
    except UnreadableVideoError as error:
        return [("unreadable", str(error))]
    problems = []
    if scan.num_frames < min_frames:
        frames = f"{scan.num_frames} frames; a clip spans {min_frames}, so it repeats"
        problems.append(("short", f"{path} has {frames}"))
    if scan.is_truncated:
        frames = f"{scan.num_frames} of {scan.header_frames} frames"
        problems.append(("truncated", f"{path} holds {frames}"))
    if warning:
        problems.append(("corrupted", warning))
    return problems


def _check_videos(
    folder: Path, paths: list[str], file: Path, min_frames: int, num_workers: int, progress: bool
) -> dict[str, list[Problem]]:
    """Check videos; those with results in a file are not checked again unless they have changed."""
    keys: dict[str, list[str | int]] = {}
    found: dict[str, list[Problem]] = {}
    for path in paths:
        video = folder / path
        status = video.stat() if video.exists() else video.lstat()
        keys[path] = [path, status.st_size, status.st_mtime_ns, min_frames]
    for line in read_lines(file) if file.is_file() else ():
        with suppress(ValueError):  # the end of a line is missing after a kill
            key, problems = json.loads(line)
            if keys.get(key[0]) == key:
                found[key[0]] = problems
    todo = [path for path in paths if path not in found]
    check = partial(check_video, folder, min_frames=min_frames)
    results = map_in_processes(check, todo, num_workers, chunksize=8)
    results = track(results, len(todo), "videos", show=progress)
    _append(file, "")  # ends a line of a killed run
    for path, problems in zip(todo, results, strict=True):
        found[path] = problems
        _append(file, json.dumps([keys[path], problems]))
    return found


def _append(file: Path, line: str) -> None:
    with explain_write_error(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{line}\n")


def read_segments(path: str | Path) -> list[Segment]:
    """Read a CSV file of Kinetics; a DataError names the line that does not fit.

    It has the columns ``youtube_id``, ``time_start``, ``time_end``, ``split`` and, except in the
    test split, ``label``; others are ignored.
    """
    rows = csv.DictReader(read_lines(path))
    segments = []
    try:
        for row in rows:
            start, end = (int(float(row[column])) for column in ("time_start", "time_end"))
            split, name = _SPLITS[row["split"].strip().lower()], row["youtube_id"].strip()
            if min(start, end) < 0 or not name:
                raise ValueError("empty youtube_id or negative time")
            label = (row.get("label") or "").strip().strip('"')
            segments.append(Segment(name, start, end, split, label or None))
    except (csv.Error, KeyError, ValueError, AttributeError, TypeError, OverflowError) as error:
        raise DataError(
            f"line {rows.reader.line_num} of {path} does not fit ({error!r}); expected label, "
            "youtube_id, time_start and time_end in seconds, and split, one of "
            f"{', '.join(_SPLITS)}"
        ) from error
    if not segments:
        raise DataError(f"{path} has no lines; expected one for each segment")
    return segments


def class_names(segments: Iterable[Segment], classes_file: str | Path | None) -> list[str]:
    """Return the classes of a file in its order, or all classes of the segments, sorted."""
    occurring = sorted({segment.label for segment in segments if segment.label})
    if classes_file is None:
        if not occurring:
            raise DataError("the CSV files name no classes: give one with labels, or classes_file")
        return occurring
    names = [line.strip() for line in read_lines(classes_file) if line.strip()]
    unknown = sorted(set(occurring) - set(names))
    if unknown or len(set(names)) < len(names):
        raise DataError(
            f"{classes_file} does not fit the CSV files: it lacks {unknown[:3]} and repeats "
            f"{len(names) - len(set(names))} lines; expected each class once"
        )
    return names


def find_videos(folder: str | Path) -> dict[str, list[str]]:
    """List the videos below a folder: file name without suffix to sorted paths below the folder."""
    found: dict[str, list[str]] = {}
    for root, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.lower().endswith(VIDEO_SUFFIXES) and not name.startswith("."):
                path = Path(os.path.relpath(os.path.join(root, name), folder)).as_posix()
                found.setdefault(name.rpartition(".")[0], []).append(path)
    if not found:
        raise DataError(
            f"no video ({', '.join(VIDEO_SUFFIXES)}) in {folder} or below; expected "
            "CLASS/ID_000010_000020.mp4, or the same without folders of classes"
        )
    return {stem: sorted(paths) for stem, paths in found.items()}


def paths_of(segment: Segment, videos: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the paths of a segment's video, those in the folder of its class first."""
    paths = videos.get(segment.stem) or videos.get(segment.youtube_id) or ()
    name = (segment.label or "").replace("_", " ").lower()
    return sorted(
        paths, key=lambda path: name not in path.replace("_", " ").lower().split("/")[:-1]
    )


def _check_other_lists(out: Path, classes: list[str], splits: set[str]) -> None:
    """Reject classes that number labels differently from a list that stays in the folder."""
    file = out / CLASSES_FILE
    if not file.is_file() or read_lines(file)[:-1] == classes:
        return
    for split in sorted({*_SPLITS.values()} - splits):
        if (out / LIST_FILE.format(split)).is_file():
            raise DataError(
                f"{file} has other classes than these {len(classes)}, and "
                f"{LIST_FILE.format(split)} uses them: convert all splits in one call, or give "
                "--classes FILE in each, or another --out"
            )
