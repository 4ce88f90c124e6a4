"""The Runner of a config, and what is done to it before it runs."""

import copy
import logging

import torch.distributed as dist
from mmcv.cnn import fuse_conv_bn
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmengine.registry import DATASETS, MODELS, RUNNERS, init_default_scope
from mmengine.runner import Runner
from torch import nn

from glore_seg.engine import make_resumable
from glore_seg.engine.config_errors import config_faults, name_late_faults
from glore_seg.engine.hooks.setup_check_hook import SetupCheckHook, unwrap
from glore_seg.engine.processes import start_processes, watch_processes
from glore_seg.engine.starting_weights import guard_starting_weights
from glore_seg.engine.windows import check_windows
from glore_seg.errors import ConfigError


def build_runner(cfg: Config) -> Runner:
    """Build the Runner, of the class in ``runner_type`` where the config has one.

    A training survives kills, stops and faults of the data, see
    :mod:`glore_seg.engine`. Whatever the config, :class:`SetupCheckHook` checks that
    network, checkpoint and data fit, and pretrained weights that can't be had are named.

    Raises:
        OSError: The launcher's processes can't find each other.
        ConfigError: A part of the config cannot be built, also when the Runner begins, or sliding
            windows do not fit.
    """
    check_windows(cfg)
    with config_faults(cfg, "build the Runner"):
        cfg = make_resumable(cfg)
        watch_processes(cfg)
        start_processes(cfg)
        runner = RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)
        if not any(isinstance(hook, SetupCheckHook) for hook in runner.hooks):
            runner.register_hook(SetupCheckHook())  # not in the config: it stays the host's
    name_late_faults(runner, cfg)
    guard_starting_weights(runner, cfg)
    return runner


def build_model(cfg: Config) -> nn.Module:
    """Build the network of a config alone, without pretrained weights.

    Raises:
        ConfigError: It cannot be built; the text says what its host made of it.
    """
    with config_faults(cfg, "build model"):
        init_default_scope(cfg.get("default_scope") or "mmseg")
        model = copy.deepcopy(cfg.model)
        if "pretrained" in model:
            model.pretrained = None
        return MODELS.build(model)


def build_dataset(cfg: Config, split: str) -> BaseDataset:
    """Build the dataset of a split alone, ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        ConfigError: It cannot be built; the text says what its host made of it.
    """
    with config_faults(cfg, f"build {split}_dataloader.dataset"):
        init_default_scope(cfg.get("default_scope") or "mmseg")
        return DATASETS.build(cfg[f"{split}_dataloader"].dataset)


def fuse_runner(runner: Runner) -> None:
    """Load the checkpoint and fold each BatchNorm into the convolution before it.

    Exact up to rounding, for testing alone.
    """
    runner.load_or_resume()
    fuse_conv_bn(unwrap(runner.model))


def forget_training(runner: Runner) -> None:
    """Let a Runner that only tests go without its training.

    Hooks that ask it for the iteration, such as mmseg's that paints, would load the training's
    dataset, which need not be there.
    """
    runner._train_loop = None


def warn_of_other_batch(cfg: Config) -> None:
    """Say so when the total batch is not the one that rate and schedule were chosen for.

    Raises:
        ConfigError: There is no batch.
    """
    base = cfg.get("auto_scale_lr", {}).get("base_batch_size")
    if not base or cfg.auto_scale_lr.get("enable"):
        return
    per_process = cfg.train_dataloader.batch_size
    accumulated = cfg.optim_wrapper.get("accumulative_counts", 1)
    if min(per_process, accumulated) < 1:
        raise ConfigError(
            f"train_dataloader.batch_size is {per_process} and optim_wrapper.accumulative_counts "
            f"{accumulated}; expected 1 or more of both"
        )
    total = per_process * get_world_size() * accumulated
    if total != base:
        schedule = (
            ". Its schedule counts iterations: for as many passes over the data, multiply those of "
            f"train_cfg and param_scheduler by {base / total:.4g}"
            if "max_iters" in cfg.train_cfg
            else ""
        )
        print_log(
            f"the recipe's learning rate is for a batch of {base}; this run has {total} "
            f"({per_process} on each of {get_world_size()} processes, accumulated "
            f"{accumulated} times). Set train_dataloader.batch_size, or auto_scale_lr.enable=True"
            f"{schedule}",
            logger="current",
            level=logging.WARNING,
        )


def leave_process_group() -> None:
    """End what the launcher began, as the last thing a tool does; nothing without a launcher.

    Processes wait for each other first: the launcher ends the others when one of them fails to
    leave, and they may still be writing the last checkpoint. gloo's group ends with its process,
    see :func:`glore_seg.cli.run_tool`.
    """
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        if dist.get_backend() != "gloo":
            dist.destroy_process_group()
