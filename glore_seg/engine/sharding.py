"""Fully sharded data parallel training (FSDP)."""

from typing import Any

import torch
from mmengine.config import Config

from glore_seg.errors import ConfigError

_POLICY = "torch.distributed.fsdp.wrap.size_based_auto_wrap_policy"
_MIN_NUM_PARAMS = 5_000_000  # of a module that is sharded by itself


def use_fsdp(cfg: Config) -> None:
    """Train with mmengine's ``FSDPStrategy``: each process keeps a share of the parameters.

    Checkpoints are gathered, so that one process can test and resume them. The runner is mmengine's
    ``FlexibleRunner``: signals do not save, checkpoints are not written atomically, and a resumed
    training draws other random numbers.

    Args:
        cfg: Gets ``runner_type`` and ``strategy``; settings of its own ``strategy`` have priority.

    Raises:
        ConfigError: There is a single process, or the config has what FSDP cannot do.
    """
    if cfg.get("launcher", "none") == "none":
        raise ConfigError(
            "--fsdp with --launcher none; expected several processes: start them with "
            "tools/dist_train.sh, or leave --fsdp out"
        )
    own = cfg.get("strategy") or {}
    for key, value, expected in (
        ("runner_type", cfg.get("runner_type"), "FlexibleRunner"),
        ("strategy.type", own.get("type"), "FSDPStrategy"),
    ):
        if value not in (None, expected):
            raise ConfigError(f"--fsdp with {key}={value!r}; expected {expected!r} or none")
    for hook in cfg.get("custom_hooks") or []:
        if hook.get("type") in ("EMAHook", "ChannelsLastHook"):
            raise ConfigError(
                f"--fsdp with {hook['type']}; expected one of them, as both replace the "
                "parameters: leave --fsdp or the hook (--channels-last is one) out"
            )
    # Offloading where all is on the CPU frees what torch 2.13 then reads: a crash.
    kept = {"rank0_only": True, "offload_to_cpu": torch.cuda.is_available()}
    wrapper: dict[str, Any] = {"type": "MMFullyShardedDataParallel", "use_orig_params": True}
    if not torch.cuda.is_available():
        wrapper["device_id"] = "cpu"
    policy = (own.get("model_wrapper") or {}).get("auto_wrap_policy") or {}
    if policy.get("type", _POLICY) == _POLICY:  # another policy takes other arguments
        wrapper["auto_wrap_policy"] = {"type": _POLICY, "min_num_params": _MIN_NUM_PARAMS}
    cfg.strategy = {
        "type": "FSDPStrategy",
        "model_wrapper": wrapper,
        "state_dict_cfg": {
            "state_dict_type": "FULL_STATE_DICT",
            "state_dict_config": {"type": "FullStateDictConfig", **kept},
            "optim_state_dict_config": {"type": "FullOptimStateDictConfig", **kept},
        },
    }
    cfg.merge_from_dict({"strategy": own})
    cfg.runner_type = "FlexibleRunner"
