"""Kinetics' CSV files and the names under which its videos are stored."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.utils.files import read_lines

ENDINGS = (".mp4", ".mkv", ".webm", ".avi", ".mov")
_COLUMNS = ("youtube_id", "time_start", "time_end", "split")
_SPLITS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}
_LATEST = 999_999  # seconds that a name has room for
SPLITS = frozenset(_SPLITS.values())


@dataclass(frozen=True)
class Segment:
    """One line of the annotations: a part of a video with one class.

    Args:
        youtube_id: Of the whole video.
        start: Begin in seconds.
        end: End in seconds.
        split: ``"train"``, ``"val"`` or ``"test"``.
        label: Name of the class; None where the CSV has no labels.
    """

    youtube_id: str
    start: int
    end: int
    split: str
    label: str | None

    @property
    def stem(self) -> str:
        """Name of its file without the ending, as the usual downloaders give it."""
        return f"{self.youtube_id}_{self.start:06d}_{self.end:06d}"


def read_segments(path: str | Path) -> list[Segment]:
    """Read a CSV file of Kinetics.

    Args:
        path: A file with the columns ``youtube_id``, ``time_start``, ``time_end``, ``split`` and,
            but for the test split, ``label``; others are passed over.

    Returns:
        A segment for each line.

    Raises:
        DataError: There is no such file.
        DataError: It is empty, a column is missing or a line does not fit; with file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is missing; expected a CSV file of Kinetics")
    reader = csv.DictReader(f"{line}\n" for line in read_lines(path))
    try:
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{path} has no column {', '.join(missing)}; expected those of Kinetics: label, "
                f"{', '.join(_COLUMNS)}"
            )
        segments = [_segment(row, f"line {reader.line_num} of {path}") for row in reader]
    except csv.Error as error:
        raise DataError(
            f"line {reader.line_num + 1} of {path} is no CSV ({error}); expected those of Kinetics"
        ) from error
    if not segments:
        raise DataError(f"{path} has no lines beyond its columns; expected a segment a line")
    return segments


def class_names(segments: Iterable[Segment], classes_file: str | Path | None) -> list[str]:
    """Return the classes in order: those of a file, else all that occur, by the alphabet.

    Raises:
        DataError: The file lacks a class that occurs, names one twice, or no class occurs.
    """
    occurring = sorted({segment.label for segment in segments if segment.label})
    if classes_file is None:
        if not occurring:
            raise DataError("the CSV files name no classes: give one with labels, or classes_file")
        return occurring
    lines = read_lines(classes_file)
    names = [line.strip() for line in lines if line.strip()]
    unknown = sorted(set(occurring) - set(names))
    if unknown or len(set(names)) < len(names):
        raise DataError(
            f"{classes_file} does not fit the CSV files: it lacks {unknown[:3]} and has "
            f"{len(names) - len(set(names))} lines twice; expected each class once, a line each"
        )
    return names


def find_videos(folder: str | Path) -> dict[str, list[str]]:
    """List the videos below a folder.

    Returns:
        Names without ending to paths from the folder, sorted; more than one where a name occurs in
        several places.

    Raises:
        DataError: There is no such folder, or no video in it.
    """
    folder = Path(folder)
    found: dict[str, list[str]] = {}
    for root, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                path = os.path.relpath(os.path.join(root, name), folder)
                found.setdefault(name.rpartition(".")[0], []).append(Path(path).as_posix())
    if not found:
        raise DataError(
            f"no video ({', '.join(ENDINGS)}) in {folder} or below; expected "
            "CLASS/ID_000010_000020.mp4, or the same without folders of classes"
        )
    return {stem: sorted(paths) for stem, paths in found.items()}


def paths_of(segment: Segment, videos: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the paths of a segment's video, those in the folder of its class first."""
    paths = videos.get(segment.stem) or videos.get(segment.youtube_id) or ()
    name = _plain(segment.label or "")
    return sorted(paths, key=lambda path: name not in map(_plain, path.split("/")[:-1]))


def _plain(name: str) -> str:
    return name.replace("_", " ").lower()


def _segment(row: dict[str, str], where: str) -> Segment:
    try:
        start, end = (int(float(row[column])) for column in ("time_start", "time_end"))
        split = _SPLITS[row["split"].strip().lower()]
        name = row["youtube_id"].strip()
        if not (0 <= start <= _LATEST and 0 <= end <= _LATEST and name):
            raise ValueError
    except (KeyError, ValueError, AttributeError, TypeError, OverflowError):
        raise DataError(
            f"{where} has youtube_id {row['youtube_id']!r}, time_start {row['time_start']!r}, "
            f"time_end {row['time_end']!r} and split {row['split']!r}; expected a name, seconds "
            f"from 0 to {_LATEST} and one of {', '.join(_SPLITS)}"
        ) from None
    label = (row.get("label") or "").strip().strip('"')
    return Segment(name, start, end, split, label or None)
