"""Folders of made data: a marker tells how they were made and whether they are complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from glore_seg.files import written_aside


def is_complete(
    root: Path,
    settings: dict,
    *,
    marker: str,
    what: str,
    contents: Sequence[str],
    overwrite: bool,
) -> bool:
    """Whether nothing is left to do in a folder; clears it where allowed, refuses where not.

    Args:
        root: The folder.
        settings: What the data depend on, as JSON can hold it.
        marker: Name of the file in ``root`` that :func:`mark` writes.
        what: What is made, for the messages, such as ``"street scenes"``.
        contents: Names in ``root`` that may be removed with ``overwrite``.
        overwrite: Whether to remove data of other settings.

    Raises:
        FileExistsError: If the folder holds other files, or data of other settings and
            ``overwrite`` is not set.
    """
    if root.exists() and not root.is_dir():
        raise FileExistsError(f"{root} is a file; expected a folder: give another name")
    if not root.is_dir() or not any(root.iterdir()):
        return False
    if not (root / marker).is_file():
        raise FileExistsError(
            f"{root} holds files that are no {what} (no {marker} in it): give another folder"
        )
    try:
        found = json.loads((root / marker).read_text())
    except json.JSONDecodeError:
        found = {}
    if found.get("settings") == settings:
        return bool(found.get("complete"))
    if not overwrite:
        raise FileExistsError(
            f"{root} holds {what} of other settings: {found.get('settings')}, asked for "
            f"{settings}. Give --overwrite (overwrite=True) to replace them, or another folder"
        )
    for name in contents:
        if (root / name).is_dir():
            shutil.rmtree(root / name)
        else:
            (root / name).unlink(missing_ok=True)
    return False


def mark(root: Path, settings: dict, *, marker: str, complete: bool) -> None:
    """Write how a folder's data are made, and whether they are complete."""
    with written_aside(root / marker) as aside:
        aside.write_text(json.dumps({"settings": settings, "complete": complete}, indent=1) + "\n")
