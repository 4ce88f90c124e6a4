"""Start of the process group, and the heartbeat between its processes."""

import os
from datetime import timedelta
from typing import Any

import torch.distributed as dist
from mmengine.config import Config
from mmengine.dist import init_dist

from glore_seg.errors import ConfigError


def start_processes(cfg: Config, *, timeout_s: float | None = None) -> None:
    """Start the process group of a config's launcher, as the Runner would.

    Does nothing without a launcher, or when a group has been started.

    Args:
        cfg: With ``launcher`` and ``env_cfg``.
        timeout_s: How long processes wait for each other. Default: the config's, or torch's.
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


def watch_processes(cfg: Config) -> None:
    """Add a :class:`~glore_seg.engine.PeerHeartbeatHook` to a config with a launcher."""
    hooks = list(cfg.get("custom_hooks") or [])
    known = any(isinstance(hook, dict) and hook["type"] == "PeerHeartbeatHook" for hook in hooks)
    if cfg.get("launcher", "none") != "none" and not known:
        cfg.custom_hooks = [*hooks, {"type": "PeerHeartbeatHook"}]
