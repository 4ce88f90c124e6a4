"""What lies in the work folder of a training: its config and its checkpoints."""

from pathlib import Path

from glore_seg.errors import ConfigError


def find_config(work_dir: Path) -> Path:
    """The config that the Runner left in the work folder.

    Raises:
        ConfigError: There is none.
        ConfigError: There are several.
    """
    found = sorted(work_dir.glob("*.py"))
    if not found:
        raise ConfigError(
            f"{work_dir} holds no config (*.py); expected the work folder of a training: give it, "
            "or the config by --config"
        )
    if len(found) > 1:
        raise ConfigError(
            f"{work_dir} holds several configs ({', '.join(f.name for f in found)}); give one of "
            "them by --config"
        )
    return found[0]


def find_checkpoint(work_dir: Path) -> Path:
    """The best checkpoint by mIoU, else by another score, else the last one.

    Raises:
        ConfigError: There is none.
    """
    for pattern in ("best_mIoU_*.pth", "best_*.pth", "iter_*.pth", "epoch_*.pth"):
        found = list(work_dir.glob(pattern))
        if found:
            return max(found, key=lambda file: file.stat().st_mtime_ns)
    raise ConfigError(
        f"{work_dir} holds no checkpoint (best_*.pth, iter_*.pth or epoch_*.pth); give one by "
        "--checkpoint"
    )
