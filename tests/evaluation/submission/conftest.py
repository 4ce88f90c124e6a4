"""A small split and a correct submission of it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glore_seg.evaluation.submission import ExpectedImages, check_submission

KEYS = ("berlin_000000_000019", "berlin_000001_000019", "bonn_000000_000019")
FIRST = f"{KEYS[0]}.png"
SIZE = (16, 8)  # width, height
# Road, sky, car and train: evaluated label ids.
LABEL_IDS = np.repeat(np.array([7, 23, 26, 31], np.uint8), 32).reshape(8, 16)


def expected(keys=KEYS, size=SIZE) -> ExpectedImages:
    return ExpectedImages("test", dict.fromkeys(keys, size))


def encode(pixels: np.ndarray, palette: list[int] | None = None, **options) -> bytes:
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def good_files() -> dict[str, bytes]:
    return {f"{key}.png": encode(LABEL_IDS) for key in KEYS}


def with_first(data: bytes) -> dict[str, bytes]:
    return {**good_files(), FIRST: data}


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    """A zip to write."""
    return tmp_path / "results.zip"


@pytest.fixture
def report(path) -> Callable:
    """Checks files as a zip, or a path; returns the report."""

    def report(files=None):
        if isinstance(files, dict):
            files = write_zip(path, files)
        return check_submission(files or path, expected(), progress=False)

    return report


@pytest.fixture
def check(report) -> Callable:
    """Like ``report``; returns (kind, name) of each error."""
    return lambda files=None: [(error.kind, error.name) for error in report(files).errors]
