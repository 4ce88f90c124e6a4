"""Check that a checkpoint fits the network, of which mmengine warns at most."""

import logging
from typing import Any, cast

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel, StateDictType

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import differing_settings, some
from glore_seg.checkpoints.configs import recorded_config
from glore_seg.errors import CheckpointError


def unwrap(model: nn.Module) -> nn.Module:
    """The network without the wrappers of DDP and test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model


def check_state_dict(
    model: nn.Module, found: dict[str, Any], *, source: str | None, strict: bool
) -> None:
    """Raise a CheckpointError that counts and names what of a checkpoint does not fit a model.

    ``found`` has names with or without ``module.``; ``source`` is its file. Without ``strict`` one
    parameter in common is enough; with it all must fit after what the model renames or resizes.
    """
    wanted = _state_of(model)
    found = {k.removeprefix("module."): v for k, v in found.items()}
    if strict:
        # Only training uses it: a config for testing may leave it out.
        found = {
            k: v for k, v in found.items() if k in wanted or not k.startswith("auxiliary_head.")
        }
    comparison = compare_state_dicts(wanted, found)
    source = source or "the checkpoint"
    if strict and comparison.differences() and not _loads(model, found):
        raise CheckpointError(
            f"{source} is of another network than the config ({comparison}). Use the config that "
            "the checkpoint was trained with, which is in its work directory"
        )
    if not strict and not comparison.fitting:
        raise CheckpointError(
            f"{source} has no parameter in common with this {type(model).__name__}: it holds "
            f"{some(list(found))}, the model needs {some(list(wanted))}. Give a checkpoint "
            "of this network, or leave load_from out"
        )


def _loads(model: nn.Module, found: dict[str, Any]) -> bool:
    """Whether a network that renames or resizes as it loads, such as ViT and Swin, loads it all."""
    if isinstance(model, FullyShardedDataParallel):
        return False
    try:
        left = model.load_state_dict(found, strict=False)
    except RuntimeError:  # shapes
        return False
    missing = [name for name in left.missing_keys if not name.endswith("num_batches_tracked")]
    return not missing and not left.unexpected_keys


def _state_of(model: nn.Module) -> dict[str, Any]:
    if not isinstance(model, FullyShardedDataParallel):
        return model.state_dict()
    # The strategy's own setting gathers in the first process alone.
    with FullyShardedDataParallel.state_dict_type(model, StateDictType.FULL_STATE_DICT):
        return model.state_dict()


def warn_of_other_settings(cfg: Config, meta: Any, *, source: str | None) -> None:
    """Warn where a config differs from the one in a checkpoint's ``meta``.

    A unit's ``normalize`` or a backbone's dilations have no parameters: with another value the
    weights load, and the scores are worse for no visible reason.
    """
    trained = recorded_config(meta)
    differing = differing_settings(trained.model, cfg.model) if trained else None
    if differing:
        print_log(
            f"{source} was trained with other settings of the network: {'; '.join(differing)}. Its "
            "weights fit, but it may predict worse: use the config that it was trained with",
            logger="current",
            level=logging.WARNING,
        )
