"""Images, videos and folders in; label maps, overlays and class shares out: `tools/predict.py`.

``OUT/predict.jsonl`` holds the settings in its first line and a line for each image that is done,
so an interrupted run can be continued, and results of other settings or images are not mixed in.
"""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glore_seg.apis.inference.inputs import find_files
from glore_seg.apis.inference.segmenter import Failure, Segmentation, Segmenter
from glore_seg.apis.inference.video import VIDEO_SUFFIXES, segment_video
from glore_seg.errors import DataError, OutputError
from glore_seg.evaluation.label_ids import write_label_map
from glore_seg.utils.files import atomic_write, remove_unfinished
from glore_seg.utils.image_io import IMAGE_SUFFIXES, write_png


@dataclass(frozen=True)
class Job:
    """A file, and the name of its results: without suffix, relative to the folders of results."""

    path: Path
    name: str
    is_video: bool

    def fingerprint(self) -> list[Any]:
        """Path, size and modification time, which change with the file."""
        stat = self.path.stat()
        return [str(self.path), stat.st_size, stat.st_mtime_ns]


@dataclass(frozen=True)
class Summary:
    """Number of files that a run segmented and that were done before, and the other files."""

    segmented: int
    skipped: int
    failures: Sequence[Failure]


def find_jobs(inputs: Sequence[str | Path], out: str | Path) -> list[Job]:
    """Find images and videos in files, folders and globs, and name their results.

    The name is the path below the common folder of all inputs, so files of one name in several
    folders stay apart. Files in ``out``, the folder of the results, are left out.

    Raises:
        DataError: There are no files, or two files have results of one name.
    """
    out = Path(os.path.abspath(out))  # without ".."
    found: dict[Path, None] = {}
    roots = []
    for given in inputs:
        files = find_files(given, suffixes=IMAGE_SUFFIXES | VIDEO_SUFFIXES)
        files = [Path(os.path.abspath(file)) for file in files]
        folder = Path(os.path.abspath(given))
        roots += [folder] if folder.is_dir() else [file.parent for file in files]
        found |= dict.fromkeys(file for file in files if not file.is_relative_to(out))
    if not found:
        raise DataError(f"{', '.join(map(str, inputs))} has only results of {out}")
    base = os.path.commonpath(roots)
    jobs: dict[tuple[str, bool], Job] = {}
    for file in found:
        name = file.relative_to(base).with_suffix("").as_posix()
        job = Job(file, name, file.suffix.lower() in VIDEO_SUFFIXES)
        other = jobs.setdefault((name, job.is_video), job)
        if other is not job:
            raise DataError(
                f"the results of {other.path} and {file} would have one name: segment them into "
                "two folders"
            )
    return list(jobs.values())


class OutputFolder:
    """A folder for label maps, overlays and class shares; used by one process at a time.

    Results depend on ``settings``. Label maps hold values of ``table`` (uint8, from train ids),
    else train ids; ``opacity`` is theirs in overlays. ``overwrite`` starts again.

    Raises:
        OutputError: The folder holds results of other settings.
    """

    def __init__(
        self,
        root: str | Path,
        settings: Mapping[str, Any],
        *,
        classes: Sequence[str],
        table: np.ndarray | None = None,
        opacity: float = 0.5,
        overwrite: bool = False,
    ) -> None:
        self.root, self.table, self.opacity = Path(root), table, opacity
        self.overwrite, self._classes = overwrite, classes
        self._journal = self.root / "predict.jsonl"
        self._done: dict[str, dict[str, Any]] = {}
        if self._journal.is_file() and not overwrite:
            self._done = self._read_journal(settings)
        self.root.mkdir(parents=True, exist_ok=True)
        for kind in ("labels", "overlays"):
            for folder, *_ in os.walk(self.root / kind):
                remove_unfinished(Path(folder))
        remove_unfinished(self.root)
        # Written again, since a killed process may have left half a line.
        with atomic_write(self._journal) as temporary:
            lines = map(json.dumps, [dict(settings), *self._done.values()])
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def labels_path(self, job: Job) -> Path:
        """Label map of an image, or folder of those of a video."""
        return self.root / "labels" / f"{job.name}{'' if job.is_video else '.png'}"

    def overlay_path(self, job: Job) -> Path:
        """Overlay of an image or a video."""
        return self.root / "overlays" / f"{job.name}{'.mp4' if job.is_video else '.png'}"

    def todo(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are not done yet.

        Raises:
            OutputError: Results of that name exist that are unknown, or of another image.
        """
        left = []
        for job in jobs:
            entry = self._done.get(job.name)
            files = [self.labels_path(job), self.overlay_path(job)]
            existing = [file for file in files if file.exists()]
            exists = job.path.is_file()
            changed = exists and entry is not None and entry["file"] != job.fingerprint()
            if (changed or entry is None) and existing and not self.overwrite:
                reason = f"is the result of {entry['file'][0]}" if entry else "exists"
                raise OutputError(
                    f"{existing[-1]} {reason}: give another --out, or --overwrite to replace it"
                )
            done = entry is not None and all(
                file in existing for file in (files if entry["labels"] else files[1:])
            )
            if not done or not exists:
                left.append(job)
        return left

    def write(self, job: Job, result: Segmentation) -> None:
        """Write the results of an image and record them."""
        write_label_map(self.labels_path(job), result.labels, self.table)
        write_png(self.overlay_path(job), result.overlay(self.opacity))
        self.record(job, result.shares(), labels=True)

    def record(self, job: Job, shares: Mapping[str, float], *, labels: bool) -> None:
        """Record that a job is done, the share of each class, and whether it has label maps."""
        entry = {
            "name": job.name,
            "file": job.fingerprint(),
            "labels": labels,
            "shares": list(shares.values()),
        }
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")
        self._done[job.name] = entry

    def write_shares(self) -> Path:
        """Write ``shares.csv``, the share of each class for each file; return its path."""
        path = self.root / "shares.csv"
        with (
            atomic_write(path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(["file", *self._classes])
            for _, entry in sorted(self._done.items()):
                writer.writerow([entry["file"][0], *(f"{share:.6f}" for share in entry["shares"])])
        return path

    def _read_journal(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The complete lines; the last one may be cut off."""
        lines = self._journal.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        try:
            first, *rest = [json.loads(line) for line in lines] or [{}]
            done = {
                str(entry["name"]): {
                    "name": str(entry["name"]),
                    "file": [str(entry["file"][0]), *map(int, entry["file"][1:])],
                    "labels": bool(entry["labels"]),
                    "shares": [*map(float, entry["shares"])],
                }
                for entry in rest
            }
            before = dict(first)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
            raise OutputError(
                f"{self._journal} is not a record of a run ({error!r}): give another --out, or "
                "--overwrite to start again"
            ) from error
        now = json.loads(json.dumps(settings))
        changed = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        if changed and done:  # a run without results binds nobody
            values = ", ".join(f"{key} ({before.get(key)}, now {now.get(key)})" for key in changed)
            raise OutputError(
                f"{self.root} holds results of another {values}: give another --out, or "
                "--overwrite to start again"
            )
        return done


def segment_folders(
    segmenter: Segmenter,
    jobs: Sequence[Job],
    folder: OutputFolder,
    *,
    frames: bool = False,
    batch_size: int = 1,
    progress: bool = True,
) -> Summary:
    """Segment the jobs of :func:`find_jobs` that a folder lacks; continue after files that fail.

    ``frames`` also writes label maps for the frames of videos. At most ``batch_size`` consecutive
    images of equal size run together.

    Raises:
        OutputError: A result cannot be written, or exists and is of another image.
    """
    todo = folder.todo(jobs)
    failures = []
    images, videos = ([job for job in todo if job.is_video is kind] for kind in (False, True))
    paths = [job.path for job in images]
    results = segmenter.stream(paths, batch_size=batch_size, progress=progress)
    for job, result in zip(images, results, strict=True):
        if isinstance(result, Failure):
            failures.append(result)
        else:
            folder.write(job, result)
    for job in videos:
        try:
            shares = segment_video(
                segmenter,
                job.path,
                folder.overlay_path(job),
                table=folder.table,
                labels_dir=folder.labels_path(job) if frames else None,
                opacity=folder.opacity,
                batch_size=batch_size,
                overwrite=folder.overwrite,
                progress=progress,
            )
        except DataError as error:
            failures.append(Failure(error, job.path))
        else:
            folder.record(job, shares, labels=frames)
    folder.write_shares()
    return Summary(len(todo) - len(failures), len(jobs) - len(todo), failures)
