"""Read a config, apply the command line to it, and adapt it to the machine."""

import logging
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from glore_seg.apis.config_names import check_option_names
from glore_seg.apis.tasks import TASKS, task_of
from glore_seg.checkpoints.configs import read_json_config
from glore_seg.compat import own_configs
from glore_seg.errors import ConfigError
from glore_seg.utils.dependencies import require

_DDP = "MMDistributedDataParallel"


def load_config(
    path: str,
    *,
    cfg_options: dict[str, Any] | None = None,
    work_dir: str | None = None,
    launcher: str = "none",
) -> Config:
    """Read a config, apply the command line to it, and adapt it to the machine.

    ``path`` is a Python program, which is run, or ``.json`` of ``config_to_json``, which is not;
    ``cfg_options`` are dotted keys and values; where the config has a tuple, a list becomes one.
    Default of ``work_dir``: the config's own, or
    ``work_dirs/<name of the config>``. ``launcher`` is that of mmengine.

    Raises:
        ConfigError: There is no such file, ``default_scope`` is none of the tasks, or a key of
            ``cfg_options`` begins with a name that nothing reads.
        CheckpointError: A ``.json`` file is no config or could run code.
        MissingDependencyError: The task needs a package that is not installed.
    """
    if path.startswith(own_configs.PREFIX):
        path = own_configs.config_path(path.removeprefix(own_configs.PREFIX))
    elif not Path(path).is_file():
        raise ConfigError(
            f"config {path!r} is not a file, seen from {Path.cwd()}; expected one, such as "
            "config.json of a network that hub.py saved (model.safetensors is its checkpoint), or "
            f"a config of this package such as {own_configs.PREFIX}fcn_r50_glore_cityscapes.py"
        )
    cfg = read_json_config(path) if path.endswith(".json") else _run_config(path)
    task = task_of(cfg)
    if task.extra:
        require(task.scope, task.extra)
    cfg_options = cfg_options or {}
    for text in check_option_names(cfg, cfg_options):
        print_log(text, logger="current", level=logging.WARNING)
    cfg.merge_from_dict({key: _fit_option(cfg, key, cfg_options[key]) for key in cfg_options})
    cfg.launcher = launcher
    cfg.work_dir = work_dir or cfg.get("work_dir") or str(Path("work_dirs") / Path(path).stem)
    if not torch.cuda.is_available() and launcher != "none":
        _distribute_on_cpu(cfg)
    return cfg


def _run_config(path: str) -> Config:
    try:
        return Config.fromfile(path)
    except ModuleNotFoundError as error:  # of `_base_ = "mmpretrain::..."`
        for task in TASKS:
            if task.extra and task.scope in str(error):
                require(task.scope, task.extra)
        raise
    except ImportError as error:  # of custom_imports, by mmengine, which does not say which
        if "mmdet" in str(error):
            require("mmdet")
        raise


def use_amp(cfg: Config) -> None:
    """Train in mixed precision: bfloat16 where the device has it, else fp16 with loss scaling.

    Raises:
        ConfigError: The config has an optimizer wrapper of its own.
    """
    kind = cfg.optim_wrapper.get("type", "OptimWrapper")
    if kind in ("AmpOptimWrapper", "BFloat16OptimWrapper"):
        return
    if kind != "OptimWrapper":
        raise ConfigError(
            f"--amp exchanges an optim_wrapper of type 'OptimWrapper', this config has {kind!r}; "
            "leave --amp out, or set the type to 'AmpOptimWrapper' or 'BFloat16OptimWrapper'"
        )
    if not torch.cuda.is_available() or torch.cuda.is_bf16_supported():
        cfg.optim_wrapper.type = "BFloat16OptimWrapper"
    else:
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")


def _fit_option(cfg: Config, key: str, value: Any) -> Any:
    """Make way for a key below None (``clip_grad.max_norm``); a list over a tuple becomes one."""
    node: Any = cfg
    *path, last = key.split(".")
    for name in path:
        position = int(name) if isinstance(node, list | tuple) and name.isdecimal() else name
        try:
            if node[position] is None:
                node[position] = {}
            node = node[position]
        except (KeyError, IndexError, TypeError):  # merging says what is wrong
            return value
    old = node.get(last) if isinstance(node, dict) else None
    return tuple(value) if isinstance(old, tuple) and isinstance(value, list) else value


def _distribute_on_cpu(cfg: Config) -> None:
    """Distributed training on CPUs: gloo, plain DDP and a SyncBN that works there."""
    cfg.merge_from_dict({"env_cfg.dist_cfg.backend": "gloo"})
    if cfg.get("model_wrapper_cfg") is None:  # as mmengine does on GPUs
        unused = cfg.get("find_unused_parameters", False)
        cfg.model_wrapper_cfg = {"broadcast_buffers": False, "find_unused_parameters": unused}
    if cfg.model_wrapper_cfg.setdefault("type", _DDP) == _DDP:
        cfg.model_wrapper_cfg.device_ids = None
    replace_sync_bn(cfg.model, by="CPUSyncBN")


def replace_sync_bn(node: Any, *, by: str = "BN") -> int:
    """Set another type wherever a part of the config asks for SyncBN; return how often."""
    if isinstance(node, list | tuple):
        return sum(replace_sync_bn(value, by=by) for value in node)
    if not isinstance(node, dict):
        return 0
    count = sum(replace_sync_bn(value, by=by) for value in node.values())
    if node.get("type") == "SyncBN":
        node["type"] = by
        count += 1
    return count


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
