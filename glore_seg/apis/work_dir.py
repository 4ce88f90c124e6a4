"""The config and the checkpoints in the work directory of a training."""

from pathlib import Path

from glore_seg.errors import ConfigError


def find_config(work_dir: Path) -> Path:
    """The one config that the Runner dumped into the work directory, else a ConfigError."""
    found = sorted(work_dir.glob("*.py"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise ConfigError(f"configs (*.py) in {work_dir}: {names}; expected one: give --config")
    return found[0]


def find_checkpoint(work_dir: Path) -> Path:
    """The best checkpoint by mIoU, else by another score, else the last one, else a ConfigError."""
    for pattern in ("best_mIoU_*.pth", "best_*.pth", "iter_*.pth", "epoch_*.pth"):
        found = list(work_dir.glob(pattern))
        if found:
            return max(found, key=lambda file: file.stat().st_mtime_ns)
    raise ConfigError(f"{work_dir} has no checkpoint (iter_*.pth, ...): give --checkpoint")
