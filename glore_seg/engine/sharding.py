"""Networks whose parameters, gradients and momentum are dealt out over processes (FSDP)."""

from typing import Any

import torch
from mmengine.config import Config

from glore_seg.errors import ConfigError

_POLICY = "torch.distributed.fsdp.wrap.size_based_auto_wrap_policy"
_SMALLEST = 5_000_000  # parameters of a part that is gathered by itself


def use_fsdp(cfg: Config) -> None:
    """Train with mmengine's ``FSDPStrategy``: each process keeps a share of the network.

    Checkpoints are gathered, so that they are those of one process, for testing and resuming too.
    mmengine's FlexibleRunner trains then: no signal saves, checkpoints are written in place, and a
    training that goes on draws other random numbers than an undisturbed one.

    Args:
        cfg: Gets ``runner_type`` and ``strategy``; what it has of ``strategy`` goes over it.

    Raises:
        ConfigError: There is a single process, or the config has what FSDP cannot do.
    """
    if cfg.get("launcher", "none") == "none":
        raise ConfigError(
            "--fsdp deals a network out over processes, and --launcher is none; expected several: "
            "start them with tools/dist_train.sh, or leave --fsdp out"
        )
    if cfg.get("runner_type", "FlexibleRunner") != "FlexibleRunner":
        raise ConfigError(
            f"--fsdp needs mmengine's FlexibleRunner, this config has runner_type="
            f"{cfg.runner_type!r}; leave one of them out"
        )
    for hook in cfg.get("custom_hooks") or []:
        if hook.get("type") in ("EMAHook", "ChannelsLastHook"):
            raise ConfigError(
                f"--fsdp and {hook['type']} both take hold of the parameters; expected one of "
                "them: leave --fsdp, or the hook (--channels-last is one), out"
            )
    # Offloading where all is on the CPU frees what torch 2.13 then reads: a crash.
    kept = {"rank0_only": True, "offload_to_cpu": torch.cuda.is_available()}
    wrapper: dict[str, Any] = {
        "type": "MMFullyShardedDataParallel",
        "use_orig_params": True,
        "auto_wrap_policy": {
            "type": _POLICY,
            "min_num_params": _SMALLEST,
        },
    }
    if not torch.cuda.is_available():
        wrapper["device_id"] = "cpu"
    strategy = {
        "type": "FSDPStrategy",
        "model_wrapper": wrapper,
        "state_dict_cfg": {
            "state_dict_type": "FULL_STATE_DICT",
            "state_dict_config": {"type": "FullStateDictConfig", **kept},
            "optim_state_dict_config": {"type": "FullOptimStateDictConfig", **kept},
        },
    }
    own = cfg.get("strategy") or {}
    if own.get("type", "FSDPStrategy") != "FSDPStrategy":
        raise ConfigError(
            f"--fsdp needs FSDPStrategy, this config has strategy.type={own['type']!r}; leave one "
            "of them out"
        )
    policy = (own.get("model_wrapper") or {}).get("auto_wrap_policy") or {}
    if policy.get("type", _POLICY) != _POLICY:
        del wrapper["auto_wrap_policy"]  # another policy takes other arguments
    cfg.strategy = strategy
    cfg.merge_from_dict({"strategy": own})
    cfg.runner_type = "FlexibleRunner"
