"""A folder of label maps and overlays that remembers what made them.

``OUT/predict.jsonl`` holds the settings in its first line and then a line for each image that is
done, so that a run that was interrupted goes on, and nothing is taken for what it is not.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glore_seg.apis.inference.segmentation import Segmentation
from glore_seg.errors import DataError, OutputError
from glore_seg.utils.files import atomic_write, remove_unfinished
from glore_seg.utils.image_io import write_png
from glore_seg.utils.locking import locked

_JOURNAL = "predict.jsonl"
_LOCK = "predict.lock"
_SHARES = "shares.csv"


@dataclass(frozen=True)
class Task:
    """An image or a video, and how its results are called.

    Args:
        path: The file.
        name: Of its results, without ending, relative to the folders that hold them.
        is_video: Whether it is a video.
    """

    path: Path
    name: str
    is_video: bool

    def fingerprint(self) -> list[Any]:
        """What tells this file from another, or from itself after a change."""
        stat = self.path.stat()
        return [str(self.path), stat.st_size, stat.st_mtime_ns]


def sole_predictor(root: str | Path) -> AbstractContextManager[None]:
    """Keep other processes from segmenting into a folder, which is made where missing.

    Raises:
        OutputError: Another one does, see :func:`glore_seg.utils.locking.locked`.
    """
    Path(root).mkdir(parents=True, exist_ok=True)
    return locked(Path(root) / _LOCK, doing=f"segmenting into {root}")


class OutputFolder:
    """Where label maps, overlays and shares go; used by one process at a time.

    Args:
        root: The folder; made where missing.
        settings: What the results depend on beside the images.
        classes: Name of each class.
        table: From train ids to the ids to write, uint8. Default: train ids.
        opacity: Of the label maps in overlays.
        overwrite: Whether to begin anew and replace what is there.

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
        self._classes, self._overwrite = classes, overwrite
        self._journal = self.root / _JOURNAL
        self._done: dict[str, dict[str, Any]] = {}
        if self._journal.is_file() and not overwrite:
            self._done = self._read_journal(settings)
        self.root.mkdir(parents=True, exist_ok=True)
        kinds = (self.root / kind for kind in ("labels", "overlays"))
        made = [folder for kind in kinds for folder, *_ in os.walk(kind)]
        for folder in (self.root, *map(Path, made)):
            remove_unfinished(folder)
        lines = [dict(settings), *self._done.values()]
        # Anew, since a process that was killed may have left half a line.
        with atomic_write(self._journal) as aside:
            aside.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")

    def labels_of(self, task: Task) -> Path:
        """Label map of an image, or folder of those of a video."""
        return self.root / "labels" / f"{task.name}{'' if task.is_video else '.png'}"

    def overlay_of(self, task: Task) -> Path:
        """Overlay of an image or a video."""
        return self.root / "overlays" / f"{task.name}{'.mp4' if task.is_video else '.png'}"

    def todo(self, tasks: Sequence[Task]) -> list[Task]:
        """Those that are not done yet.

        Raises:
            OutputError: There is something of that name that was made of another image, or
                that nobody remembers.
        """
        left = []
        for task in tasks:
            entry = self._done.get(task.name)
            files = (self.labels_of(task), self.overlay_of(task))
            if entry is None:
                taken = next((file for file in files if file.exists()), None)
            elif not task.path.is_file() or entry["file"] == task.fingerprint():
                taken = None
            else:
                taken = files[1]
            if taken is not None and not self._overwrite:
                what = (
                    f"was made of {entry['file'][0]}, or before it changed" if entry else "exists"
                )
                raise OutputError(
                    f"{taken} {what}: give another --out, or --overwrite to begin anew"
                )
            if entry is None or not task.path.is_file() or not self._is_whole(entry, files):
                left.append(task)
        return left

    def write(self, task: Task, found: Segmentation) -> None:
        """Write the results of an image and remember them."""
        labels = found.labels if self.table is None else self.table[found.labels]
        write_png(self.labels_of(task), labels)
        write_png(self.overlay_of(task), found.overlay(self.opacity))
        self.remember(task, found.shares(), labels=True)

    def remember(self, task: Task, shares: Mapping[str, float], *, labels: bool) -> None:
        """Note that an image or a video is done.

        Args:
            task: Which one.
            shares: Share of each class.
            labels: Whether it has label maps.
        """
        entry = {
            "name": task.name,
            "file": task.fingerprint(),
            "labels": labels,
            "shares": list(shares.values()),
        }
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")
        self._done[task.name] = entry

    def write_shares(self) -> Path:
        """Write ``shares.csv``: share of each class, for all that is done; return its name."""
        path = self.root / _SHARES
        with atomic_write(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["file", *self._classes])
            for name in sorted(self._done):
                entry = self._done[name]
                writer.writerow([entry["file"][0], *(f"{share:.6f}" for share in entry["shares"])])
        return path

    def _is_whole(self, entry: Mapping[str, Any], files: tuple[Path, Path]) -> bool:
        labels, overlay = files
        return overlay.exists() and (labels.exists() or not entry["labels"])

    def _read_journal(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        first, *rest = _read_lines(self._journal, len(self._classes))
        wanted = json.loads(json.dumps(settings))
        different = sorted(key for key in {*first, *wanted} if first.get(key) != wanted.get(key))
        if different and rest:  # a run that made nothing binds nobody
            raise OutputError(
                f"{self.root} holds results of another "
                + ", ".join(f"{key} ({first.get(key)}, now {wanted.get(key)})" for key in different)
                + ": give another --out, or --overwrite to begin anew"
            )
        return {entry["name"]: entry for entry in rest}


def _read_lines(path: Path, num_classes: int) -> list[dict[str, Any]]:
    """Read the whole lines, settings and then entries; the last one may be half written."""
    found: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or (found and not _is_entry(entry, num_classes)):
                raise DataError("no settings or entry")
            found.append(entry)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path} is no record of a run ({line[:40]!r}): give another --out, or "
                "--overwrite to begin anew"
            ) from error
    return found or [{}]


def _is_entry(entry: dict[str, Any], num_classes: int) -> bool:
    """Whether a line is what :meth:`OutputFolder.remember` writes."""
    file, shares = entry.get("file"), entry.get("shares")
    return (
        entry.keys() == {"name", "file", "labels", "shares"}
        and isinstance(entry["name"], str)
        and isinstance(file, list)
        and [type(part) for part in file] == [str, int, int]
        and isinstance(shares, list)
        and len(shares) == num_classes
        and all(type(share) in (int, float) for share in shares)
    )
