"""Which checkpoints of a work folder are whole, and the one to go on from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glore_seg.utils.files import corruption_reason

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


def find_latest_valid_checkpoint(
    folder: Path, names: Sequence[str] = ("iter_*.pth", "epoch_*.pth")
) -> Search:
    """Find the newest whole checkpoint of a run.

    The one in ``last_checkpoint`` goes first, wherever the folder has been moved or copied to, then
    the others by the time of their writing.

    Args:
        folder: Where the checkpoints are.
        names: Patterns of their names.
    """
    damaged: list[str] = []
    for path in _candidates(folder, names):
        reason = corruption_reason(path)
        if reason is None:
            return Search(path, tuple(damaged))
        damaged.append(f"{path} ({reason})")
    return Search(None, tuple(damaged))


def _candidates(folder: Path, names: Sequence[str]) -> list[Path]:
    found = {path for name in names for path in folder.glob(name) if path.is_file()}
    newest = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    try:
        said = Path((folder / LAST).read_text(encoding="utf-8").strip())
        for last in (folder / said.name, said):  # a copied folder notes the place that it had
            if last.is_file():
                return [last, *(path for path in newest if not path.samefile(last))]
    except (OSError, ValueError):  # missing, or damaged: the files tell
        pass
    return newest
