"""Several processes: how they find each other, and the watch that each keeps on the next."""

import os
from datetime import timedelta
from typing import Any

import torch.distributed as dist
from mmengine.config import Config
from mmengine.dist import init_dist

from glore_seg.errors import ConfigError


def start_processes(cfg: Config, *, timeout_s: float | None = None) -> None:
    """Start the process group of a config's launcher, as the Runner would.

    Nothing is done without a launcher, or where there is a group.

    Args:
        cfg: With ``launcher`` and ``env_cfg``.
        timeout_s: How long processes wait for each other. Default: the config's, or torch's.

    Raises:
        ConfigError: The port is in use, or the other processes do not answer.
    """
    if cfg.get("launcher", "none") == "none" or dist.is_initialized():
        return
    options = {"backend": "nccl", **cfg.get("env_cfg", {}).get("dist_cfg", {})}
    if timeout_s is not None:
        options["timeout"] = timeout_s
    try:
        init_dist(cfg.launcher, **options, **_store_of_a_restart())
    except dist.DistError as error:
        address = os.environ.get("MASTER_ADDR", "localhost")
        port = os.environ.get("MASTER_PORT", "29500")
        if "EADDRINUSE" in str(error):
            raise ConfigError(
                f"MASTER_PORT {port} is in use on this machine, by another training perhaps; "
                "expected a free port: set MASTER_PORT (PORT for tools/dist_*.sh) to another one, "
                "the same for all processes"
            ) from error
        raise ConfigError(
            f"process {os.environ.get('RANK')} of {os.environ.get('WORLD_SIZE')} does not reach "
            f"the others at {address}:{port} ({str(error).splitlines()[0]}): start all of them, "
            "with the same MASTER_ADDR and MASTER_PORT, and let that port through the firewall"
        ) from error


def _store_of_a_restart() -> dict[str, Any]:
    """What init_process_group needs after a restart by torchrun; nothing otherwise.

    torchrun keeps one store for all attempts (torch 2.13), and in it a new group would find the
    addresses of the dead one.
    """
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    is_shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if attempt == "0" or not is_shared:
        return {}
    if os.environ.get("GROUP_WORLD_SIZE") != "1":  # each machine has a count of its own
        raise ConfigError(
            "torchrun has restarted on several machines, whose processes would find the addresses "
            "of those before: export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 before torchrun"
        )
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = dist.TCPStore(address, port, is_master=False, timeout=timedelta(minutes=5))
    return {
        "store": dist.PrefixStore(f"attempt_{attempt}", store),
        "rank": int(os.environ["RANK"]),
        "world_size": int(os.environ["WORLD_SIZE"]),
    }


def watch_processes(cfg: Config) -> None:
    """Have each of several processes end when another one is gone.

    Args:
        cfg: Gets a :class:`~glore_seg.engine.PeerHeartbeatHook`, unless it has one.
    """
    hooks = list(cfg.get("custom_hooks") or [])
    if cfg.get("launcher", "none") == "none" or any(
        isinstance(hook, dict) and hook.get("type") == "PeerHeartbeatHook" for hook in hooks
    ):
        return
    cfg.custom_hooks = [*hooks, {"type": "PeerHeartbeatHook"}]
