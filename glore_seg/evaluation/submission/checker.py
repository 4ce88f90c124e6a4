"""Finds everything that is wrong with a submission before it is uploaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.evaluation.submission.entry import Entry, ReadError
from glore_seg.evaluation.submission.expected import (
    CITYSCAPES_SIZE,
    CITYSCAPES_TEST_CITIES,
    ExpectedImages,
    image_key,
    key_within,
)
from glore_seg.evaluation.submission.folder_reader import list_folder
from glore_seg.evaluation.submission.image import check_image, max_bytes
from glore_seg.evaluation.submission.report import Finding, SubmissionReport
from glore_seg.evaluation.submission.zip_reader import open_zip
from glore_seg.utils.progress import track

_ROOM = 1000  # files beyond twice the expected ones that are still named one by one


def check_submission(
    path: str | Path,
    expected: ExpectedImages,
    *,
    on_image: Callable[[str, np.ndarray], None] | None = None,
    progress: bool = True,
) -> SubmissionReport:
    """Check a zip or a folder of label id images as Cityscapes' server takes them.

    The archive is read file by file, never unpacked to disk, within memory that depends on the
    size of one image. What is named or packed in a hostile manner is not read at all.

    Args:
        path: The zip or the folder.
        expected: What it must hold.
        on_image: Called with ``CITY_SEQUENCE_FRAME`` and the label ids, shape (H, W), uint8, of
            each image that has no fault.
        progress: Whether to show a bar with the time left.

    Returns:
        All faults and warnings.

    Raises:
        DataError: There is nothing at ``path``.
    """
    path = Path(path)
    report = SubmissionReport(expected.total)
    with _open(path, expected) as (entries, faults):
        report.faults += faults
        first: dict[str, Entry] = {}
        for entry in track(entries, len(entries), "checking", show=progress):
            _check_entry(entry, expected, first, report, on_image)
    if any(fault.kind == "archive" for fault in report.faults):
        return report  # what it lacks is not known
    _find_missing(expected, first, report)
    _compare_with_cityscapes(expected, report)
    return report


@contextmanager
def _open(path: Path, expected: ExpectedImages) -> Iterator[tuple[list[Entry], list[Finding]]]:
    limits = {
        "max_bytes": max_bytes(expected.largest),
        "max_entries": 2 * expected.total + _ROOM,
    }
    if path.is_dir():
        yield list_folder(path, **limits)
    elif path.is_file():
        with open_zip(path, **limits) as found:
            yield found
    else:
        raise DataError(f"{path} does not exist; expected a zip or a folder of images")


def _check_entry(
    entry: Entry,
    expected: ExpectedImages,
    first: dict[str, Entry],
    report: SubmissionReport,
    on_image: Callable[[str, np.ndarray], None] | None,
) -> None:
    if entry.fault:
        report.faults.append(entry.fault)
    *folders, base = entry.name.replace("\\", "/").split("/")
    key = image_key(base) or key_within(base)
    if "__MACOSX" in folders or base.startswith(".") or key is None or key not in expected:
        if not entry.fault:
            report.faults.append(_foreign(entry.name, folders, base, key, expected))
        return
    if key in first:
        message = (
            f"is a second image for {key} after {first[key].name!r}; expected exactly one: "
            "remove one of them"
        )
        report.faults.append(Finding("doubled", entry.name, message))
        return
    first[key] = entry
    if entry.fault:
        return
    if image_key(base) is None or not base.endswith(".png"):
        message = f"is not found by the server; expected {key}*.png: rename it to {key}.png"
        report.faults.append(Finding("name", entry.name, message))
    try:
        data = entry.read()
    except ReadError as error:
        report.faults.append(Finding("damaged", entry.name, f"{error}: pack it again"))
        return
    report.checked += 1
    checked = check_image(entry.name, data, expected.size(key))
    report.faults += checked.faults
    report.warnings += checked.warnings
    if on_image is not None and checked.label_ids is not None:
        on_image(key, checked.label_ids)


def _foreign(
    name: str, folders: list[str], base: str, key: str | None, expected: ExpectedImages
) -> Finding:
    """A file that is no expected image: misnamed where it is a PNG, else too much."""
    if "__MACOSX" in folders or base in (".DS_Store", "Thumbs.db"):
        return Finding("extra", name, "is of the operating system, no image: pack without it")
    if key is not None and not base.startswith("."):
        message = f"is no image of the {expected.split} split: remove it"
        return Finding("extra", name, message)
    if base.endswith(".unfinished.png"):
        return Finding("extra", name, "is what an interrupted run left behind: remove it")
    if base.lower().endswith(".zip"):
        message = "is an archive within the archive: pack the images themselves"
        return Finding("extra", name, message)
    if base.lower().endswith(".png") and not base.startswith("."):
        message = (
            "says not which image it is of; expected CITY_123456_123456*.png, as the image's "
            "own name begins: rename it"
        )
        return Finding("name", name, message)
    return Finding("extra", name, "is no predicted image: remove it")


def _find_missing(
    expected: ExpectedImages, first: dict[str, Entry], report: SubmissionReport
) -> None:
    if expected.sizes is not None:
        for key in expected.sizes:
            if key not in first:
                message = f"is missing; expected one {key}*.png: predict it"
                report.faults.append(Finding("missing", key, message))
        return
    counts = Counter(key.split("_")[0] for key in first)
    for city, number in expected.counts.items():
        if counts[city] != number:
            kind = "missing" if counts[city] < number else "extra"
            message = f"has {counts[city]} images; expected {number}: predict exactly the split"
            report.faults.append(Finding(kind, city, message))


def _compare_with_cityscapes(expected: ExpectedImages, report: SubmissionReport) -> None:
    """A copy of Cityscapes that lacks images makes a submission that lacks them."""
    if expected.sizes is None or expected.split != "test":
        return
    wrong = [
        f"{city} {expected.counts.get(city, 0)} of {number}"
        for city, number in CITYSCAPES_TEST_CITIES.items()
        if expected.counts.get(city, 0) != number
    ]
    if wrong and set(expected.sizes.values()) == {CITYSCAPES_SIZE}:
        message = (
            f"of the size of Cityscapes, but its test split has other counts ({', '.join(wrong)}): "
            "if this is Cityscapes, unpack leftImg8bit_trainvaltest.zip again"
        )
        report.warnings.append(Finding("dataset", "the dataset's images", message))
