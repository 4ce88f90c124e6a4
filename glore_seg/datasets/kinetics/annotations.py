"""Kinetics' CSV files, and the names of its video files."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.utils.files import read_lines

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov")
_COLUMNS = ("youtube_id", "time_start", "time_end", "split")
_SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}
SPLITS = frozenset(_SPLITS.values())


@dataclass(frozen=True)
class Segment:
    """A line of the annotations: a part of a video with one class.

    Args:
        youtube_id: Name of the full video.
        start: First second.
        end: Last second.
        split: ``"train"``, ``"val"`` or ``"test"``.
        label: Name of the class; None if the CSV file has no labels.
    """

    youtube_id: str
    start: int
    end: int
    split: str
    label: str | None

    @property
    def stem(self) -> str:
        """Name of its file without suffix, as the usual downloaders choose it."""
        return f"{self.youtube_id}_{self.start:06d}_{self.end:06d}"


def read_segments(path: str | Path) -> list[Segment]:
    """Read a CSV file of Kinetics.

    Args:
        path: A file with the columns ``youtube_id``, ``time_start``, ``time_end``, ``split`` and,
            except in the test split, ``label``; other columns are ignored.

    Raises:
        DataError: The file is missing or empty, a column is missing, or a line does not fit.
    """
    reader = csv.DictReader(f"{line}\n" for line in read_lines(path))
    try:
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{path} has no column {', '.join(missing)}; expected label, {', '.join(_COLUMNS)}"
            )
        segments = [_segment(row, f"line {reader.line_num} of {path}") for row in reader]
    except csv.Error as error:
        raise DataError(f"line {reader.line_num + 1} of {path} is not CSV ({error})") from error
    if not segments:
        raise DataError(f"{path} has no lines; expected one for each segment")
    return segments


def class_names(segments: Iterable[Segment], classes_file: str | Path | None) -> list[str]:
    """Return the classes of a file in its order, or all classes of the segments, sorted.

    Raises:
        DataError: The file lacks a class of the segments or repeats one, or there are no classes.
    """
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
    """List the videos below a folder.

    Returns:
        File name without suffix to paths below the folder, sorted.

    Raises:
        DataError: The folder is missing or has no videos.
    """
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
    name = _normalized(segment.label or "")
    return sorted(paths, key=lambda path: name not in map(_normalized, path.split("/")[:-1]))


def _normalized(name: str) -> str:
    return name.replace("_", " ").lower()


def _segment(row: dict[str, str], where: str) -> Segment:
    try:
        start, end = (int(float(row[column])) for column in ("time_start", "time_end"))
        split, name = _SPLITS[row["split"].strip().lower()], row["youtube_id"].strip()
        if start < 0 or end < 0 or not name:
            raise ValueError("empty youtube_id or negative time")
    except (KeyError, ValueError, AttributeError, TypeError, OverflowError) as error:
        raise DataError(
            f"{where} has { ({column: row.get(column) for column in _COLUMNS}) }; expected a name, "
            f"seconds, and one of {', '.join(_SPLITS)}"
        ) from error
    label = (row.get("label") or "").strip().strip('"')
    return Segment(name, start, end, split, label or None)
