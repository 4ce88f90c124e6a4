"""Small disks that are really full, and folders that are really read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk in memory at a new folder; skip the test where that is not allowed.

    Args:
        folder: Made here.
        size: As mount takes it, ``"300k"``.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root, and a container that allows it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Fill a disk but for so many bytes, with one file, which is returned."""
    filler = disk / "filler"
    found = os.statvfs(disk)
    filler.write_bytes(bytes(max(0, found.f_bavail * found.f_frsize - leave)))
    return filler


def make_read_only(disk: Path) -> None:
    """Make a mounted disk read-only, for root too."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
