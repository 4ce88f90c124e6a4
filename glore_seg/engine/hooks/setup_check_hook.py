"""Checks that network, checkpoint and data fit, which mmengine warns of at most."""

import logging
from typing import Any, cast

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel, StateDictType

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import some
from glore_seg.checkpoints.embedded_config import CONFIG_KEY, parse_config
from glore_seg.checkpoints.settings import differing_settings
from glore_seg.engine.data_checks import check_labels
from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.errors import CheckpointError, ConfigError

_HEADS = ("decode_head", "head", "cls_head")  # of mmseg, mmpretrain, mmaction2


@HOOKS.register_module()
class SetupCheckHook(Hook):
    """Checks that network, checkpoint and data fit.

    - Resuming and testing need a checkpoint of this network: all parameters, of the same shapes,
      and no others but an auxiliary head's, which only training uses. Other settings in the
      checkpoint's config are warned of. A checkpoint to start a training from (``load_from``) must
      have a parameter in common.
    - The head must have as many classes as the dataset, and validation the classes of training.
    - The labels of the first samples must be classes of the head. Those of validation are checked
      when a training begins, too.

    Raises:
        CheckpointError: The checkpoint is of another network.
        ConfigError: The numbers or the names of classes differ.
        DataError: A label has other values.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._validation_checked = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare the parameters of the checkpoint with those of the network."""
        strict = runner._resume or not isinstance(runner._train_loop, BaseLoop)
        model = runner.model
        if not isinstance(model, FullyShardedDataParallel):  # which gathers its own
            model = unwrap(model)
        state = checkpoint.get("state_dict", checkpoint)
        check_state_dict(model, state, source=runner._load_from, strict=strict)
        if strict:
            warn_of_other_settings(runner.cfg, checkpoint.get("meta"), source=runner._load_from)

    def before_train(self, runner: Runner) -> None:
        """Check the data of the training and of its validation."""
        _check_data(runner, runner.train_loop)
        if isinstance(runner._val_loop, BaseLoop):
            self.before_val(runner)

    def before_val(self, runner: Runner) -> None:
        """Check the data of the validation, once."""
        if self._validation_checked:
            return
        _check_data(runner, runner.val_loop)
        if isinstance(runner._train_loop, BaseLoop):
            check_same_classes(_dataset_of(runner.train_loop), _dataset_of(runner.val_loop))
        self._validation_checked = True

    def before_test(self, runner: Runner) -> None:
        """Check the data of the test."""
        _check_data(runner, runner.test_loop)


def _dataset_of(loop: BaseLoop) -> Any:
    dataset = getattr(getattr(loop, "dataloader", None), "dataset", None)
    return dataset.dataset if isinstance(dataset, PerSampleSeedDataset) else dataset


def _check_data(runner: Runner, loop: BaseLoop) -> None:
    dataset = _dataset_of(loop)
    check_classes(runner.model, dataset)
    head = getattr(unwrap(runner.model), "decode_head", None)
    check_labels(dataset, head[-1] if isinstance(head, nn.ModuleList) else head)


def check_state_dict(
    model: nn.Module, found: dict[str, Any], *, source: str | None, strict: bool
) -> None:
    """Compare a checkpoint's parameters with a model's.

    Args:
        model: The network that the checkpoint is meant for.
        found: Names to tensors, with or without the prefix ``module.``.
        source: The checkpoint's file, for the message.
        strict: Whether all parameters must fit, after what the model renames or resizes as it
            loads them; otherwise one parameter in common is enough.

    Raises:
        CheckpointError: They do not fit; the message counts and names what differs.
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
            f"{source} is of another network than the config ({comparison.summary()}; "
            f"{'; '.join(comparison.differences())}). Use the config that the checkpoint was "
            "trained with, which is in its work directory"
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
    """Warn where a config differs from the one that the weights were trained with.

    A unit's ``normalize`` or a backbone's dilations have no parameters: with another value the
    weights load, and the scores are worse for no visible reason.

    Args:
        cfg: The config of this run.
        meta: ``meta`` of the checkpoint, where mmengine stores the config.
        source: The checkpoint's file, for the message.
    """
    text = meta.get(CONFIG_KEY) if isinstance(meta, dict) else None
    if not isinstance(text, str) or not text:
        return
    try:
        trained = parse_config(text, source=f"the config in {source}")
    except ValueError:  # another kind of config
        return
    differing = differing_settings(trained.model, cfg.model)
    if differing:
        print_log(
            f"{source} was trained with other settings of the network: {'; '.join(differing)}. Its "
            "weights fit, but it may predict worse: use the config that it was trained with",
            logger="current",
            level=logging.WARNING,
        )


def unwrap(model: nn.Module) -> nn.Module:
    """The network without the wrappers of DDP and test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model


def check_classes(model: nn.Module, dataset: Any) -> None:
    """Compare the number of classes of a model's heads with a dataset's.

    Args:
        model: The network, wrapped or not.
        dataset: With the names of its classes in ``metainfo``.

    Raises:
        ConfigError: They differ.
    """
    network = unwrap(model)
    classes = _classes_of(dataset)
    for name in _HEADS:
        head = getattr(network, name, None)
        for one in head if isinstance(head, nn.ModuleList) else [head]:
            num_classes = getattr(one, "num_classes", None)
            if num_classes is None or not classes or num_classes == len(classes):
                continue
            raise ConfigError(
                f"model.{name}.num_classes is {num_classes}, but {type(dataset).__name__} has "
                f"{len(classes)} classes {classes}; expected the same number: set "
                f"model.{name}.num_classes={len(classes)}, or the dataset's metainfo"
            )


def check_same_classes(trained: Any, other: Any) -> None:
    """Compare the classes of two datasets, such as those to train and to validate on.

    Raises:
        ConfigError: Names or order of the classes differ.
    """
    first, second = _classes_of(trained), _classes_of(other)
    if first and second and first != second:
        raise ConfigError(
            f"training has the classes {first}, validation {second}; expected the same in the "
            "same order: give both datasets the same folders of classes, or the same metainfo"
        )


def _classes_of(dataset: Any) -> tuple[str, ...]:
    if "depth_map_path" in (getattr(dataset, "data_prefix", None) or {}):  # of mmseg's NYUDataset
        return ()  # whose classes are rooms: pixels have depths
    return tuple(getattr(dataset, "metainfo", {}).get("classes") or ())
