"""From Kinetics' CSV files and a folder of videos to lists of those that can be read."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glore_seg.datasets.kinetics.annotations import (
    SPLITS,
    Segment,
    class_names,
    find_videos,
    paths_of,
    read_segments,
)
from glore_seg.datasets.kinetics.checking import Problem, check_videos
from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write, write_lines

CLASSES_FILE = "kinetics400_classes.txt"
LIST_FILE = "kinetics400_{}_list_videos.txt"  # mmaction2's name
PROBLEMS_FILE = "kinetics400_{}_problems.csv"
CACHE_FILE = "kinetics400_checked.jsonl"

LEFT_OUT = ("missing", "unreadable")
"""Kinds of problems that keep a video out of the lists."""


@dataclass
class KineticsReport:
    """What became of the segments.

    Args:
        classes: Names of the classes in order.
        listed: Videos in the list, by split.
        problems: Counts of each kind of problem, by split.
        files: What was written.
    """

    classes: list[str]
    listed: dict[str, int] = field(default_factory=dict)
    problems: dict[str, Counter[str]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        """Return a line a split."""
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
    """Write mmaction2's lists of Kinetics' videos, and a report of what is wrong with them.

    Writes ``kinetics400_SPLIT_list_videos.txt`` with ``path label`` lines (paths from ``videos``),
    ``kinetics400_classes.txt`` with a class a line, and ``kinetics400_SPLIT_problems.csv``. Missing
    and unreadable videos are left out of the lists; all others are in, since too short ones are
    repeated, turned ones read upright, and of damaged ones the rest is used. What was checked once
    is kept in ``kinetics400_checked.jsonl``, so that a second run checks new and changed files
    alone.

    Args:
        annotations: CSV files of Kinetics, of one or more splits.
        videos: Folder with ``ID_000010_000020.mp4`` or ``ID.mp4``, in folders of classes or not.
        out: Folder to write to.
        classes_file: File with a class a line, whose order labels take. Default: all that occur in
            ``annotations``, by the alphabet.
        min_frames: Shorter videos are reported; the default is what a clip of 8 frames at an
            interval of 8 spans.
        num_workers: Processes at work, at least 1.
        progress: Whether to show a bar with the time left.

    Returns:
        The counts and the files.

    Raises:
        MissingDependencyError: PyAV is not installed.
        DataError: A CSV file or the folder of videos is missing, or holds none.
        DataError: A CSV file or the classes do not fit, ``out`` has a list of another split whose
            labels count other classes, or a number is out of its range.
    """
    out = Path(out)
    segments = [segment for path in annotations for segment in read_segments(path)]
    report = KineticsReport(class_names(segments, classes_file))
    _check_other_lists(out, report.classes, {segment.split for segment in segments})
    stored = find_videos(videos)
    places = {segment: paths_of(segment, stored) for segment in segments}
    checked = check_videos(
        videos,
        list(dict.fromkeys(paths[0] for paths in places.values() if paths)),
        cache=out / CACHE_FILE,
        min_frames=min_frames,
        num_workers=num_workers,
        progress=progress,
    )
    rows: list[tuple[Segment, Problem]] = []
    lists: dict[str, list[str]] = {}
    numbers = {name: index for index, name in enumerate(report.classes)}
    for segment, paths in places.items():
        problems = _problems(segment, paths, checked)
        rows += [(segment, problem) for problem in problems]
        counts = report.problems.setdefault(segment.split, Counter())
        counts.update(problem.kind for problem in problems)
        lines = lists.setdefault(segment.split, [])
        if not any(problem.kind in LEFT_OUT for problem in problems):
            label = numbers[segment.label] if segment.label else ""
            lines.append(f"{paths[0]} {label}".rstrip())
    for split, lines in lists.items():
        report.listed[split] = len(lines)
        report.files += [out / LIST_FILE.format(split), out / PROBLEMS_FILE.format(split)]
        write_lines(report.files[-2], lines)
        _write_problems(report.files[-1], [row for row in rows if row[0].split == split])
    report.files.append(out / CLASSES_FILE)
    write_lines(report.files[-1], report.classes)
    return report


def _check_other_lists(out: Path, classes: list[str], splits: set[str]) -> None:
    """Refuse to number classes in another way than a list that stays does."""
    file = out / CLASSES_FILE
    if not file.is_file() or file.read_text(encoding="utf-8").splitlines() == classes:
        return
    for split in sorted(SPLITS - splits):
        if (out / LIST_FILE.format(split)).is_file():
            raise DataError(
                f"{file} has other classes than these {len(classes)}, and "
                f"{LIST_FILE.format(split)} beside it counts by them; expected the same in all "
                "splits: give the CSV files of all in one call, or --classes FILE with all classes "
                "in each, or another --out"
            )


def _problems(
    segment: Segment, paths: Sequence[str], checked: dict[str, tuple[Problem, ...]]
) -> list[Problem]:
    if not paths:
        return [Problem("missing", f"neither {segment.stem} nor {segment.youtube_id} is there")]
    twice = [Problem("twice", f"{paths[0]} is taken, {path} is not") for path in paths[1:]]
    return [*checked[paths[0]], *twice]


def _write_problems(path: Path, rows: Sequence[tuple[Segment, Problem]]) -> None:
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("label", "youtube_id", "problem", "detail"))
        for segment, problem in rows:
            writer.writerow((segment.label, segment.stem, problem.kind, problem.detail))
