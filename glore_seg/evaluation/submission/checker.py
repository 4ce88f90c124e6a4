"""Finds all errors of a submission in one run, before it is uploaded."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError
from glore_seg.evaluation.submission.archive import ArchiveError, SubmissionFile, open_submission
from glore_seg.evaluation.submission.expected import KEY, ExpectedImages, image_key
from glore_seg.evaluation.submission.image import SubmissionReport, check_image
from glore_seg.utils.progress import track

_MAX_EXTRA = 1000  # files beyond twice the expected ones that are still named one by one
_CITYSCAPES_SIZE, _NUM_TEST_IMAGES = (2048, 1024), 1525


def check_submission(
    path: str | Path,
    expected: ExpectedImages,
    *,
    on_image: Callable[[str, np.ndarray], None] | None = None,
    progress: bool = True,
) -> SubmissionReport:
    """Check a zip or a folder of label id images by the rules of Cityscapes' server.

    The archive is read file by file, never unpacked to disk. Memory depends on the size of one
    image. Files with unsafe names or sizes are not read.

    Args:
        path: The zip or the folder.
        expected: The images that it must hold.
        on_image: Called with ``CITY_SEQUENCE_FRAME`` and the label ids, shape (H, W), uint8, of
            each image without errors.
        progress: Whether to show a progress bar.

    Returns:
        All errors and warnings.

    Raises:
        DataError: ``path`` does not exist.
    """
    path, number = Path(path), len(expected.sizes)
    report = report_of(expected)
    size = max(expected.sizes.values(), key=math.prod)
    max_bytes = 8 * math.prod(size) + (1 << 20)  # four channels of 16 bits, and the header
    first: dict[str, str] = {}
    try:
        with open_submission(path, max_bytes, max_files=2 * number + _MAX_EXTRA) as files:
            for file in track(files, len(files), "checking", show=progress):
                key = _check_name(file, expected, first, report)
                if key is None:
                    continue
                report.checked += 1
                label_ids = _check_content(file, expected.sizes[key], report)
                if on_image is not None and label_ids is not None:
                    on_image(key, label_ids)
    except ArchiveError as error:
        report.error("archive", path.name, str(error))
        return report  # what is missing is unknown
    for key in expected.sizes:
        if key not in first:
            report.error("missing", key, f"is missing; expected one {key}*.png: predict it")
    return report


def report_of(expected: ExpectedImages) -> SubmissionReport:
    """Begin a report, with a warning of an incomplete copy of Cityscapes' test split."""
    number = len(expected.sizes)
    report = SubmissionReport(number)
    is_test = expected.split == "test" and _CITYSCAPES_SIZE in expected.sizes.values()
    if is_test and number != _NUM_TEST_IMAGES:
        message = f"has {number} images, Cityscapes' test split {_NUM_TEST_IMAGES}: unpack it again"
        report.warn("dataset", "the dataset", message)
    return report


def _check_name(
    file: SubmissionFile,
    expected: ExpectedImages,
    first: dict[str, str],
    report: SubmissionReport,
) -> str | None:
    """Check the name of a file; return ``CITY_SEQUENCE_FRAME`` of an image that is to be read."""
    *folders, base = file.name.replace("\\", "/").split("/")
    match = KEY.search(base)
    key = match.group() if match else None
    if file.unsafe:
        report.error("unsafe", file.name, file.unsafe)
    elif "__MACOSX" in folders or base.startswith("."):
        report.error("extra", file.name, "is not an image: pack without it")
        return None
    elif key is None and base.lower().endswith(".png"):
        message = "names no image; expected CITY_123456_123456*.png: rename it"
        report.error("name", file.name, message)
    elif key is None:
        report.error("extra", file.name, "is not a predicted image: remove it")
    elif key not in expected.sizes:
        message = f"is not an image of the {expected.split} split: remove it"
        report.error("extra", file.name, message)
    if key is None or key not in expected.sizes:
        return None
    if key in first:
        message = f"is a second image for {key} after {first[key]!r}; expected one: remove one"
        report.error("duplicate", file.name, message)
        return None
    first[key] = file.name
    if file.unsafe:
        return None
    if image_key(base) is None or not base.endswith(".png"):
        message = f"is not found by the server; expected {key}*.png: rename it to {key}.png"
        report.error("name", file.name, message)
    return key


def _check_content(
    file: SubmissionFile, size: tuple[int, int], report: SubmissionReport
) -> np.ndarray | None:
    try:
        data = file.read()
    except (DataError, OSError) as error:
        report.error("corrupted", file.name, f"{error}: pack it again")
        return None
    return check_image(report, file.name, data, size)
