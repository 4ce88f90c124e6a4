"""The newest valid checkpoint of a work folder, and what a checkpoint must hold to resume."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.logging import print_log

from glore_seg.errors import CheckpointError
from glore_seg.utils.files import corruption_reason

LAST = "last_checkpoint"
"""Name of mmengine's file that holds the path of the last checkpoint."""


class Search(NamedTuple):
    """The newest valid checkpoint, if any, and newer corrupted ones, ``"PATH (REASON)"``."""

    path: Path | None
    corrupted: tuple[str, ...]


def find_latest_valid_checkpoint(
    folder: Path, patterns: Sequence[str] = ("iter_*.pth", "epoch_*.pth")
) -> Search:
    """Find the newest checkpoint of a run whose checksums are right.

    The one named in ``last_checkpoint`` comes first, also in a moved or copied folder, then the
    others by their modification time.
    """
    corrupted: list[str] = []
    for path in _candidates(folder, patterns):
        reason = corruption_reason(path)
        if reason is None:
            return Search(path, tuple(corrupted))
        corrupted.append(f"{path} ({reason})")
    return Search(None, tuple(corrupted))


def check_resumable(
    checkpoint: dict[str, Any], *, source: str | None, scheduled: bool = False
) -> None:
    """Raise a CheckpointError if a checkpoint holds weights, but no state of a training.

    One without its optimizer (``save_optimizer=False``) is warned of, and so is one without its
    schedule if the training that resumes is ``scheduled``.
    """
    source = source or "the last checkpoint of the work folder"
    meta = checkpoint.get("meta")
    if "message_hub" not in checkpoint or not isinstance(meta, dict) or "iter" not in meta:
        raise CheckpointError(
            f"{source} holds weights only, as published files do; expected a checkpoint of a "
            "training to resume. To start a training from these weights, set load_from to this "
            "file instead of --resume"
        )
    lacks = {
        "the optimizer": "optimizer" not in checkpoint,
        "the schedule": scheduled and "param_schedulers" not in checkpoint,
    }
    for name in (name for name, is_missing in lacks.items() if is_missing):
        text = f"{source} has no state of {name}, which starts anew with the config's values"
        print_log(text, logger="current", level=logging.WARNING)


def _candidates(folder: Path, patterns: Sequence[str]) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    newest = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    try:
        noted = Path((folder / LAST).read_text(encoding="utf-8").strip())
        for last in (folder / noted.name, noted):  # a copied folder notes the path of the original
            if last.is_file():
                return [last, *(path for path in newest if not path.samefile(last))]
    except (OSError, ValueError):  # missing or corrupted
        pass
    return newest
