"""Images, videos and folders in; label maps, overlays and class shares out: `tools/predict.py`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glore_seg.apis.inference.inputs import IMAGE_SUFFIXES, find_files
from glore_seg.apis.inference.output_folder import Job, OutputFolder
from glore_seg.apis.inference.segmenter import Failure, Segmenter
from glore_seg.apis.inference.video import VIDEO_SUFFIXES, segment_video
from glore_seg.errors import DataError


@dataclass(frozen=True)
class Summary:
    """Number of files that a run segmented and that were done before, and the other files."""

    segmented: int
    skipped: int
    failures: Sequence[Failure]


def find_jobs(inputs: Sequence[str | Path], out: str | Path) -> list[Job]:
    """Find images and videos, and name their results.

    Inputs are files, folders (with the folders in them) and globs. Results are named by the path of
    a file below the common folder of all inputs, so files of one name in several folders stay
    apart. Files in ``out``, the folder of the results, are left out.

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


def segment_folders(
    segmenter: Segmenter,
    jobs: Sequence[Job],
    folder: OutputFolder,
    *,
    frames: bool = False,
    batch_size: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Segment the jobs of :func:`find_jobs` that a folder lacks; continue after files that fail.

    Args:
        segmenter: The network.
        jobs: Images and videos.
        folder: Gets the results.
        frames: Whether to write label maps for the frames of videos.
        batch_size: Maximum number of consecutive images of equal size that run together.
        overwrite: Whether to replace existing files.
        progress: Whether to show progress bars.

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
                overwrite=overwrite,
                progress=progress,
            )
        except DataError as error:
            failures.append(Failure(error, job.path))
        else:
            folder.record(job, shares, labels=frames)
    folder.write_shares()
    return Summary(len(todo) - len(failures), len(jobs) - len(todo), failures)
