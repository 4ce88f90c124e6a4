"""Makes any config of OpenMMLab resumable."""

import copy
import logging

from mmengine.config import Config
from mmengine.logging import print_log

_LOOPS = {"IterBasedTrainLoop": "ResumableIterLoop", "EpochBasedTrainLoop": "ResumableEpochLoop"}


def use_resume(cfg: Config, checkpoint: str | None = None) -> None:
    """Resume a training from a checkpoint.

    Args:
        cfg: Changed in place.
        checkpoint: The file. Default: the newest valid one of the work folder; where there is none,
            the training starts from the config's ``load_from``.
    """
    if checkpoint is None:
        cfg.begin_from = cfg.get("load_from")  # mmengine would resume from a load_from
    cfg.resume, cfg.load_from = True, checkpoint


def make_resumable(cfg: Config) -> Config:
    """Replace mmengine's training loop and checkpoint hook by those of this package.

    Other types in the config stay, and so does the loop of a loader with ``batch_sampler`` or
    ``num_batch_per_epoch``, with a warning.

    Args:
        cfg: Unchanged.

    Returns:
        A copy, which also imports this package, so that upstream's tools can run it.
    """
    cfg = copy.deepcopy(cfg)
    if cfg.get("train_cfg") is None or cfg.get("runner_type", "Runner") != "Runner":
        return cfg
    cfg.default_hooks = cfg.get("default_hooks") or {}
    checkpoint = cfg.default_hooks.get("checkpoint", {})
    if checkpoint is not None and checkpoint.get("type", "CheckpointHook") == "CheckpointHook":
        checkpoint = {"interval": 1, **checkpoint, "type": "AtomicCheckpointHook"}
        cfg.default_hooks.checkpoint = checkpoint
    _replace_loop(cfg)
    cfg.custom_imports = cfg.get("custom_imports") or {"imports": [], "allow_failed_imports": False}
    imports = cfg.custom_imports.get("imports") or []
    imports = [imports] if isinstance(imports, str) else [*imports]
    cfg.custom_imports.imports = [*imports, *({"glore_seg"} - {*imports})]
    return cfg


def _replace_loop(cfg: Config) -> None:
    loop = cfg.train_cfg
    by_epoch = loop.get("by_epoch", True)
    kind = loop.get("type", "EpochBasedTrainLoop" if by_epoch else "IterBasedTrainLoop")
    if kind not in _LOOPS:
        return
    for key in ("batch_sampler", "num_batch_per_epoch"):
        if key in cfg.train_dataloader:
            print_log(
                f"train_dataloader has {key}: this training resumes from a checkpoint, but not bit "
                "for bit, and signals do not save",
                logger="current",
                level=logging.WARNING,
            )
            return
    loop.pop("by_epoch", None)
    loop["type"] = _LOOPS[kind]
