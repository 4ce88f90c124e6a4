"""Which checkpoints of a work folder are whole, and the one to go on from."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LAST = "last_checkpoint"
"""Name of mmengine's file that holds the path of the last checkpoint."""


@dataclass(frozen=True)
class Search:
    """What a search for a checkpoint has found.

    Args:
        good: The one to go on from; None where no checkpoint is whole.
        damaged: What was passed over, with the reason, ``"PATH (REASON)"``.
    """

    good: Path | None
    damaged: tuple[str, ...]


def damage_of(path: Path) -> str | None:
    """Say why a checkpoint of torch is not whole; None if it is.

    torch writes an archive with a checksum (CRC-32) of every part; all are compared.

    Args:
        path: The file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
    except Exception as error:  # what a damaged file raises cannot be foreseen
        return str(error) or type(error).__name__
    return None if wrong is None else f"the checksum of {wrong} is another"


def find_resumable(folder: Path, names: Sequence[str] = ("iter_*.pth", "epoch_*.pth")) -> Search:
    """Find the newest whole checkpoint of a run.

    The one in ``last_checkpoint`` goes first, wherever the folder has been moved or copied to, then
    the others by the time of their writing.

    Args:
        folder: Where the checkpoints are.
        names: Patterns of their names.
    """
    damaged: list[str] = []
    for path in _candidates(folder, names):
        reason = damage_of(path)
        if reason is None:
            return Search(path, tuple(damaged))
        damaged.append(f"{path} ({reason})")
    return Search(None, tuple(damaged))


def _candidates(folder: Path, names: Sequence[str]) -> list[Path]:
    found = {path for name in names for path in folder.glob(name) if path.is_file()}
    newest = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    try:
        said = Path((folder / LAST).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):  # missing, or damaged: the files tell
        return newest
    for last in (folder / said.name, said):  # a copied folder notes the place that it had
        if last.is_file():
            return [last, *(path for path in newest if not path.samefile(last))]
    return newest
