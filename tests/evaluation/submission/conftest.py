"""A tiny split and a faultless submission of it, for tests to spoil."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glore_seg.evaluation.submission import ExpectedImages, check_submission
from glore_seg.evaluation.submission.png import encode

KEYS = ("berlin_000000_000019", "berlin_000001_000019", "bonn_000000_000019")
SIZE = (16, 8)  # width, height
# Road, sky, car and train: evaluated label ids.
LABEL_IDS = np.repeat(np.array([7, 23, 26, 31], np.uint8), 32).reshape(8, 16)


def expected(keys=KEYS, size=SIZE) -> ExpectedImages:
    counts = {"berlin": 2, "bonn": 1} if keys == KEYS else {}
    return ExpectedImages("test", counts, dict.fromkeys(keys, size))


def png(pixels: np.ndarray, palette: list[int] | None = None, **options) -> bytes:
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def good_files() -> dict[str, bytes]:
    return {f"{key}.png": encode(LABEL_IDS) for key in KEYS}


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def check(tmp_path) -> Callable:
    """Checks files as a zip; gives (kind, name, message) of each fault, or the whole report."""

    def check(files=None, *, path=None, whole=False):
        path = path or write_zip(tmp_path / "results.zip", files)
        report = check_submission(path, expected(), progress=False)
        if whole:
            return report
        return [(fault.kind, fault.name, fault.message) for fault in report.faults]

    return check


@pytest.fixture
def path(tmp_path):
    """Of a zip to write."""
    return tmp_path / "results.zip"


@pytest.fixture
def one_fault(path, check):
    """Checks a zip that must have exactly one fault."""

    def one_fault(data=None):
        if data is not None:
            path.write_bytes(data)
        (fault,) = check(path=path)
        return fault

    return one_fault
