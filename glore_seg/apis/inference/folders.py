"""What `tools/predict.py` does: files and folders in, label maps, overlays and shares out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glore_seg.apis.inference.inputs import files_of
from glore_seg.apis.inference.output_folder import OutputFolder, Task
from glore_seg.apis.inference.reading import IMAGE_SUFFIXES
from glore_seg.apis.inference.segmentation import Failure
from glore_seg.apis.inference.segmenter import Segmenter
from glore_seg.apis.inference.video import VIDEO_SUFFIXES, segment_video
from glore_seg.errors import DataError


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Args:
        made: Files that it segmented.
        kept: Files that were done before.
        failures: What is wrong with the others.
    """

    made: int
    kept: int
    failures: Sequence[Failure]


def find_tasks(inputs: Sequence[str | Path], out: str | Path) -> list[Task]:
    """Find images and videos, and name their results.

    Results are named by the place of a file below the folder that holds all inputs, so files of
    one name in several folders keep apart; where two differ in their endings alone, the ending
    stays in the name. What lies in ``out`` is none of them.

    Args:
        inputs: Files, folders (with the folders in them) and globs.
        out: Folder of the results.

    Raises:
        DataError: There is nothing to do, or two files' results would have one name.
    """
    within = Path(os.path.abspath(out))  # without ".."
    found: dict[Path, None] = {}
    roots = []
    for given in inputs:
        files = [
            Path(os.path.abspath(file))
            for file in files_of(given, suffixes=IMAGE_SUFFIXES | VIDEO_SUFFIXES)
        ]
        folder = Path(os.path.abspath(given))
        roots += [folder] if folder.is_dir() else [file.parent for file in files]
        found |= dict.fromkeys(file for file in files if not file.is_relative_to(within))
    if not found:
        raise DataError(f"{', '.join(map(str, inputs))} holds nothing but results of {out}")
    base = os.path.commonpath(roots)
    alike = Counter(_name(file, base) for file in found)
    tasks: dict[tuple[str, bool], Task] = {}
    for file in found:
        name, is_video = _name(file, base)
        if alike[name, is_video] > 1:
            name += file.suffix
        task = Task(file, name, is_video)
        other = tasks.setdefault((name, is_video), task)
        if other is not task:
            raise DataError(
                f"the results of {other.path} and {file} would have one name: segment them in two "
                "runs with an --out each"
            )
    return list(tasks.values())


def _name(file: Path, base: str) -> tuple[str, bool]:
    """A file's name among the results, and whether it is a video, whose results end otherwise."""
    name = file.relative_to(base).with_suffix("").as_posix()
    return name, file.suffix.lower() in VIDEO_SUFFIXES


def segment_folders(
    segmenter: Segmenter,
    tasks: Sequence[Task],
    folder: OutputFolder,
    *,
    frames: bool = False,
    batch_size: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Segment images and videos into a folder, and go past those that can't be.

    Args:
        segmenter: The network.
        tasks: From :func:`find_tasks`.
        folder: Where the results go; what is done there is left alone.
        frames: Whether to write label maps for the frames of videos, too.
        batch_size: Images of equal size that run together, at most.
        overwrite: Whether what is there may be replaced.
        progress: Whether to show bars with the time left.

    Raises:
        FileExistsError: There is something else where results would go.
    """
    todo = folder.todo(tasks)
    failures = []
    images = [task for task in todo if not task.is_video]
    results = segmenter.stream(
        [task.path for task in images], batch_size=batch_size, progress=progress
    )
    for task, result in zip(images, results, strict=True):
        if isinstance(result, Failure):
            failures.append(result)
        else:
            folder.write(task, result)
    for task in todo:
        if not task.is_video:
            continue
        try:
            shares = segment_video(
                segmenter,
                task.path,
                folder.overlay_of(task),
                table=folder.table,
                labels_dir=folder.labels_of(task) if frames else None,
                opacity=folder.opacity,
                batch_size=batch_size,
                overwrite=overwrite,
                progress=progress,
            )
        except DataError as error:  # a full disk ends the run
            failures.append(Failure(error, task.path))
        else:
            folder.remember(task, shares, labels=frames)
    folder.write_shares()
    return Summary(len(todo) - len(failures), len(tasks) - len(todo), failures)
