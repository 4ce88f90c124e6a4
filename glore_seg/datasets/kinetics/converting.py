"""Convert Kinetics' CSV files and a folder of videos to mmaction2's lists."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glore_seg.datasets.kinetics.annotations import (
    SPLITS,
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
_NOT_LISTED = ("missing", "unreadable")


@dataclass
class KineticsReport:
    """Result of a conversion.

    Args:
        classes: Names of the classes in order.
        listed: Number of listed videos, by split.
        problems: Counts of each kind of problem, by split.
        files: The files that were written.
    """

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
    corrupted ones the rest is used. ``kinetics400_checked.jsonl`` keeps the results of the checks,
    so that a second run checks new and changed files alone.

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
    out = Path(out)
    segments = [segment for path in annotations for segment in read_segments(path)]
    report = KineticsReport(class_names(segments, classes_file))
    _check_other_lists(out, report.classes, {segment.split for segment in segments})
    stored = find_videos(videos)
    found = {segment: paths_of(segment, stored) for segment in segments}
    checked = check_videos(
        videos,
        list(dict.fromkeys(paths[0] for paths in found.values() if paths)),
        cache=out / CACHE_FILE,
        min_frames=min_frames,
        num_workers=num_workers,
        progress=progress,
    )
    numbers = {name: index for index, name in enumerate(report.classes)}
    for split in dict.fromkeys(segment.split for segment in segments):
        lines, rows = [], []
        for segment, paths in found.items():
            if segment.split != split:
                continue
            problems = [Problem("duplicate", f"{paths[0]} is used, not {p}") for p in paths[1:]]
            problems += checked[paths[0]] if paths else [Problem("missing", f"no {segment.stem}")]
            rows += [(segment.label, segment.stem, p.kind, p.detail) for p in problems]
            if not any(problem.kind in _NOT_LISTED for problem in problems):
                label = numbers[segment.label] if segment.label else ""
                lines.append(f"{paths[0]} {label}".rstrip())
        report.listed[split] = len(lines)
        report.problems[split] = Counter(row[2] for row in rows)
        report.files += [out / LIST_FILE.format(split), out / PROBLEMS_FILE.format(split)]
        write_lines(report.files[-2], lines)
        _write_problems(report.files[-1], rows)
    report.files.append(out / CLASSES_FILE)
    write_lines(report.files[-1], report.classes)
    return report


def _check_other_lists(out: Path, classes: list[str], splits: set[str]) -> None:
    """Reject classes that number labels differently from a list that stays in the folder."""
    file = out / CLASSES_FILE
    if not file.is_file() or file.read_text(encoding="utf-8").splitlines() == classes:
        return
    for split in sorted(SPLITS - splits):
        if (out / LIST_FILE.format(split)).is_file():
            raise DataError(
                f"{file} has other classes than these {len(classes)}, and "
                f"{LIST_FILE.format(split)} uses them: convert all splits in one call, or give "
                "--classes FILE in each, or another --out"
            )


def _write_problems(path: Path, rows: Sequence[tuple[str | None, str, str, str]]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("label", "youtube_id", "problem", "detail"))
        writer.writerows(rows)
