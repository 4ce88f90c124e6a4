"""The Runner of a config, its parts, and its process group."""

import copy
import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed as dist
from mmcv.cnn import fuse_conv_bn
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.dist import get_world_size, init_dist
from mmengine.logging import print_log
from mmengine.registry import DATASETS, MODELS, RUNNERS, init_default_scope
from mmengine.runner import Runner
from torch import nn

from glore_seg.engine.checkpoint_checks import unwrap
from glore_seg.engine.hooks.pretrained_weights_hook import PretrainedWeightsHook
from glore_seg.engine.hooks.setup_check_hook import SetupCheckHook
from glore_seg.errors import ConfigError
from glore_seg.utils.dependencies import require

_LOOPS = {"IterBasedTrainLoop": "ResumableIterLoop", "EpochBasedTrainLoop": "ResumableEpochLoop"}


def build_runner(cfg: Config, *, keep_config: bool = False, count_labels: bool = True) -> Runner:
    """Build the Runner, of the class in ``runner_type`` where the config has one.

    Its training is fault-tolerant, see :func:`make_resumable`. :class:`SetupCheckHook`,
    :class:`PretrainedWeightsHook` and, with a launcher, :class:`PeerHeartbeatHook` are added where
    the config lacks them.

    Args:
        cfg: The config.
        keep_config: Whether the config that a training dumped into the work directory stays
            there, rather than that of a test, which may be wrapped for test-time augmentation.
        count_labels: Whether :class:`SetupCheckHook` counts labels before a training.

    Raises:
        MissingDependencyError: The network has parts of mmdet, which is not installed.
    """
    cfg = make_resumable(cfg)
    _require_mmdet(cfg.model)
    for split in ("train", "val", "test"):
        drop_worker_options(cfg.get(f"{split}_dataloader"))
    hooks = list(cfg.get("custom_hooks") or [])
    known = any(isinstance(hook, dict) and hook["type"] == "PeerHeartbeatHook" for hook in hooks)
    if cfg.get("launcher", "none") != "none" and not known:
        cfg.custom_hooks = [*hooks, {"type": "PeerHeartbeatHook"}]
    start_processes(cfg)
    runner_class = RUNNERS.get(cfg.get("runner_type", "Runner"))
    if keep_config and Path(cfg.work_dir, "last_checkpoint").exists():
        name = runner_class.__name__
        runner_class = type(name, (runner_class,), {"dump_config": lambda self: None})
    runner = runner_class.from_cfg(cfg)
    for hook in (SetupCheckHook(count_labels=count_labels), PretrainedWeightsHook()):
        if not any(isinstance(known, type(hook)) for known in runner.hooks):
            runner.register_hook(hook)  # not in the config, which mmseg can still read
    return runner


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
    """Replace mmengine's loop, checkpoint and early stopping hook by those of this package.

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
    for hook in [*(cfg.get("custom_hooks") or []), *cfg.default_hooks.values()]:
        if isinstance(hook, dict) and hook.get("type") == "EarlyStoppingHook":
            hook["type"] = "ResumableEarlyStoppingHook"
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


def drop_worker_options(loader: Any) -> None:
    """Drop what torch refuses in a loader's config without workers (``num_workers`` is 0)."""
    if isinstance(loader, dict) and not loader.get("num_workers"):
        for name in {"persistent_workers", "prefetch_factor"} & {*loader}:
            if loader[name]:
                del loader[name]


def _require_mmdet(node: Any) -> None:
    """Raise a MissingDependencyError where a network has a part ``mmdet.*`` that is not there."""
    if isinstance(node, dict) and str(node.get("type")).startswith("mmdet."):
        require("mmdet")
    items = node.values() if isinstance(node, dict) else node
    for part in items if isinstance(node, dict | list | tuple) else ():
        _require_mmdet(part)


def build_model(cfg: Config) -> nn.Module:
    """Build the network of a config without pretrained weights.

    Raises:
        MissingDependencyError: It has parts of mmdet, which is not installed.
    """
    _require_mmdet(cfg.model)
    init_default_scope(cfg.get("default_scope") or "mmseg")
    model = copy.deepcopy(cfg.model)
    if "pretrained" in model:
        model.pretrained = None
    return MODELS.build(model)


def build_dataset(cfg: Config, split: str) -> BaseDataset:
    """Build the dataset of a split: ``"train"``, ``"val"`` or ``"test"``."""
    init_default_scope(cfg.get("default_scope") or "mmseg")
    return DATASETS.build(cfg[f"{split}_dataloader"].dataset)


def fuse_runner(runner: Runner) -> None:
    """Load the checkpoint and fold each BatchNorm into the convolution before it, for testing."""
    runner.load_or_resume()
    fuse_conv_bn(unwrap(runner.model))


def forget_training(runner: Runner) -> None:
    """Drop the training of a Runner that only tests.

    Hooks that ask for the iteration, such as ``SegVisualizationHook``, would build the training
    dataset, which need not exist.
    """
    runner._train_loop = None


def warn_of_other_batch(cfg: Config) -> None:
    """Warn when the total batch size is not the one that learning rate and schedule are for."""
    base = cfg.get("auto_scale_lr", {}).get("base_batch_size")
    if not base or cfg.auto_scale_lr.get("enable"):
        return
    per_process = cfg.train_dataloader.batch_size
    accumulated = cfg.optim_wrapper.get("accumulative_counts", 1)
    total = per_process * get_world_size() * accumulated
    if total in (0, base):
        return
    schedule = (
        f". For as many epochs multiply the iterations of train_cfg and param_scheduler by "
        f"{base / total:.4g}"
        if "max_iters" in cfg.train_cfg
        else ""
    )
    print_log(
        f"the learning rate is for a batch size of {base}; this run has {total} ({per_process} on "
        f"each of {get_world_size()} processes, accumulated {accumulated} times). Set "
        f"train_dataloader.batch_size or auto_scale_lr.enable=True{schedule}",
        logger="current",
        level=logging.WARNING,
    )


def start_processes(cfg: Config, *, timeout_s: float | None = None) -> None:
    """Start the process group of a config's launcher, if any, unless it has been started.

    ``timeout_s`` is how long processes wait for each other. Default: the config's, or torch's.
    """
    if cfg.get("launcher", "none") == "none" or dist.is_initialized():
        return
    options = {"backend": "nccl", **cfg.get("env_cfg", {}).get("dist_cfg", {})}
    if timeout_s is not None:
        options["timeout"] = timeout_s
    init_dist(cfg.launcher, **options, **_store_of_a_restart())


def _store_of_a_restart() -> dict[str, Any]:
    """Options of init_process_group after a restart by torchrun.

    torchrun keeps one store for all attempts (torch 2.13), in which a new group would find the
    addresses of the dead one.
    """
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    is_shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if attempt == "0" or not is_shared:
        return {}
    if os.environ.get("GROUP_WORLD_SIZE") != "1":  # each machine has its own count
        raise ConfigError(
            f"GROUP_WORLD_SIZE is {os.environ.get('GROUP_WORLD_SIZE')} after a restart by "
            "torchrun, whose store has the addresses of the dead processes; expected a store for "
            "each attempt: export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 before torchrun"
        )
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = dist.TCPStore(address, port, is_master=False, timeout=timedelta(minutes=5))
    return {
        "store": dist.PrefixStore(f"attempt_{attempt}", store),
        "rank": int(os.environ["RANK"]),
        "world_size": int(os.environ["WORLD_SIZE"]),
    }


def leave_process_group() -> None:
    """Wait for the other processes and leave the group, at the end of a tool.

    torchrun kills the others when one fails to leave, while they may be writing the last
    checkpoint. A group of gloo ends with its process, see :func:`glore_seg.cli.run_tool`.
    """
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        if dist.get_backend() != "gloo":
            dist.destroy_process_group()
