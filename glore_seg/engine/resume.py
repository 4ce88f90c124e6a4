"""Any config of the host's with checkpoints and loops that survive."""

import copy
import logging

from mmengine.config import Config
from mmengine.logging import print_log

_LOOPS = {"IterBasedTrainLoop": "ResumableIterLoop", "EpochBasedTrainLoop": "ResumableEpochLoop"}


def use_resume(cfg: Config, checkpoint: str | None = None) -> None:
    """Have a training go on from a checkpoint.

    Args:
        cfg: Changed in place.
        checkpoint: The file. Default: the newest whole one of the work folder; where there is none,
            the training begins as the config says, with the weights of its ``load_from``.
    """
    if checkpoint is None:
        cfg.begin_from = cfg.get("load_from")  # mmengine would resume from a load_from
    cfg.resume, cfg.load_from = True, checkpoint


def make_resumable(cfg: Config) -> Config:
    """Exchange mmengine's training loop and checkpoint hook for those of this package.

    Types that a config names itself stay, and so does the loop of a loader that draws whole
    batches (``batch_sampler``, ``num_batch_per_epoch``), which a warning says.

    Args:
        cfg: It stays as it is.

    Returns:
        A copy, which also imports this package, so that the host's tools can run it.
    """
    cfg = copy.deepcopy(cfg)
    if cfg.get("train_cfg") is None or cfg.get("runner_type", "Runner") != "Runner":
        return cfg
    hooks = cfg.setdefault("default_hooks", {})
    if hooks is None:
        hooks = cfg.default_hooks = {}
    checkpoint = hooks.get("checkpoint", {})
    if checkpoint is not None and checkpoint.get("type", "CheckpointHook") == "CheckpointHook":
        hooks["checkpoint"] = {"interval": 1, **checkpoint, "type": "AtomicCheckpointHook"}
    _exchange_loop(cfg)
    if cfg.get("custom_imports") is None:
        cfg.custom_imports = {"imports": [], "allow_failed_imports": False}
    imports = cfg.custom_imports.get("imports") or []
    imports = [imports] if isinstance(imports, str) else [*imports]
    if "glore_seg" not in imports:
        cfg.custom_imports.imports = [*imports, "glore_seg"]
    return cfg


def _exchange_loop(cfg: Config) -> None:
    loop = cfg.train_cfg
    by_epoch = loop.get("by_epoch", True)
    kind = loop.get("type", "EpochBasedTrainLoop" if by_epoch else "IterBasedTrainLoop")
    if kind not in _LOOPS:
        return
    drawn = [key for key in ("batch_sampler", "num_batch_per_epoch") if key in cfg.train_dataloader]
    if drawn:
        print_log(
            f"train_dataloader has {drawn[0]}: this training goes on from a checkpoint, but not "
            "bit for bit, and no signal saves",
            logger="current",
            level=logging.WARNING,
        )
        return
    loop.pop("by_epoch", None)
    loop["type"] = _LOOPS[kind]
