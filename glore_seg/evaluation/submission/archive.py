"""Packs the pictures of a submission, always to the same bytes."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can tell
_UNIX = 3


def pack(pictures: Iterable[Path], path: Path) -> None:
    """Write pictures into a zip, sorted by name, without folders, times and owners.

    PNGs are compressed already, so they are stored.

    Args:
        pictures: The files.
        path: The zip. An existing one is replaced.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for picture in sorted(pictures, key=lambda picture: picture.name):
            info = zipfile.ZipInfo(picture.name, _EARLIEST)
            info.create_system = _UNIX
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, picture.read_bytes())
