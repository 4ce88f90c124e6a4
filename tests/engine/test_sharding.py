"""What --fsdp changes in a config; tests/engine/test_processes.py trains with it."""

import pytest
from mmengine.config import Config

from glore_seg.engine import use_fsdp
from glore_seg.errors import ConfigError


def config(**changes):
    return Config({"launcher": "pytorch", "custom_hooks": [{"type": "SetupCheckHook"}], **changes})


def test_the_strategy_of_the_config_has_priority():
    own = {"activation_checkpointing": {"check_fn": "mine"}}
    cfg = config(strategy={**own, "model_wrapper": {"auto_wrap_policy": {"min_num_params": 7}}})
    use_fsdp(cfg)
    assert cfg.runner_type == "FlexibleRunner"
    assert cfg.strategy.type == "FSDPStrategy"
    assert cfg.strategy.activation_checkpointing.check_fn == "mine"
    assert cfg.strategy.model_wrapper.type == "MMFullyShardedDataParallel"
    assert cfg.strategy.model_wrapper.auto_wrap_policy.min_num_params == 7
    use_fsdp(cfg)
    assert cfg.strategy.model_wrapper.auto_wrap_policy.min_num_params == 7


def test_another_policy_gets_no_arguments_of_the_default_one():
    policy = {"type": "mine", "transformer_layer_cls": ["a"]}
    cfg = config(strategy={"model_wrapper": {"auto_wrap_policy": policy}})
    use_fsdp(cfg)
    assert cfg.strategy.model_wrapper.auto_wrap_policy.to_dict() == policy


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"launcher": "none"}, "--launcher none"),
        ({"runner_type": "Mine"}, "runner_type='Mine'; expected 'FlexibleRunner'"),
        ({"strategy": {"type": "Mine"}}, "strategy.type='Mine'; expected 'FSDPStrategy'"),
        ({"custom_hooks": [{"type": "EMAHook"}]}, "--fsdp with EMAHook"),
    ],
)
def test_rejects(changes, message):
    with pytest.raises(ConfigError, match=message):
        use_fsdp(config(**changes))
