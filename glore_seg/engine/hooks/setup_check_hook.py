"""Refuses what mmengine would run with a warning or end in a trace from deep inside."""

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
from glore_seg.engine.data_checks import check_segmentation_data
from glore_seg.engine.tasks import TASKS
from glore_seg.errors import ConfigError


@HOOKS.register_module()
class SetupCheckHook(Hook):
    """Checks that model, checkpoint and data fit together.

    - Resuming and testing need a checkpoint of this very network: every parameter there, none
      beyond (but an auxiliary head, which only training uses), all of the same shape. A
      checkpoint to start a new training from (``load_from``) must have something in common.
      What the checkpoint's own config says otherwise of this network is warned of.
    - The head must have as many classes as the dataset, and validation must know the classes
      of training: a classifier's folders give both, each for itself.
    - A segmentation dataset must have its files, and the first labels no other classes, see
      :func:`glore_seg.engine.data_checks.check_segmentation_data`. What training validates on is
      looked at when it begins.

    Raises:
        ConfigError: Images or labels are missing.
        ConfigError: The checkpoint, the classes or the labels do not fit.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._validation_checked = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare the checkpoint's parameters with the model's."""
        trains = isinstance(runner._train_loop, BaseLoop)
        strict = runner._resume or not trains
        found = checkpoint.get("state_dict", checkpoint)
        model = runner.model
        if not isinstance(model, FullyShardedDataParallel):  # which gathers its own
            model = unwrap(model)
        check_state_dict(model, found, source=runner._load_from, strict=strict)
        if strict:
            warn_of_other_settings(runner.cfg, checkpoint.get("meta"), source=runner._load_from)

    def before_train(self, runner: Runner) -> None:
        """Compare the head with the data to train on, and with those to validate on."""
        share = (runner.cfg.get("train_cfg") or {}).get("max_corrupted_share", 0.0)
        check_data(runner.model, _dataset_of(runner.train_loop), share=share)
        if isinstance(runner._val_loop, BaseLoop):
            self.before_val(runner)

    def before_val(self, runner: Runner) -> None:
        """Compare the head with the data to validate on, once."""
        if self._validation_checked:
            return
        dataset = _dataset_of(runner.val_loop)
        check_data(runner.model, dataset)
        if isinstance(runner._train_loop, BaseLoop):
            check_same_classes(_dataset_of(runner.train_loop), dataset)
        self._validation_checked = True

    def before_test(self, runner: Runner) -> None:
        """Compare the head with the data to test on."""
        check_data(runner.model, _dataset_of(runner.test_loop))


def _dataset_of(loop: BaseLoop) -> Any:
    return getattr(getattr(loop, "dataloader", None), "dataset", None)


def check_state_dict(
    model: nn.Module, found: dict[str, Any], *, source: str | None, strict: bool
) -> None:
    """Compare a checkpoint's parameters with a model's.

    Args:
        model: The network that the checkpoint is meant for.
        found: Names to tensors, with or without the prefix ``module.``.
        source: Where the checkpoint came from, for the message.
        strict: Everything must fit, or be made to by the model as it loads; otherwise one
            parameter in common is enough.

    Raises:
        ConfigError: They do not fit; the message counts and names what differs.
    """
    wanted = _state_of(model)
    found = {k.removeprefix("module."): v for k, v in found.items()}
    if strict:
        # Training alone uses it: a config for testing may leave it out.
        found = {
            k: v for k, v in found.items() if k in wanted or not k.startswith("auxiliary_head.")
        }
    comparison = compare_state_dicts(wanted, found)
    source = source or "the checkpoint"
    if strict and comparison.differences() and not _loads(model, found):
        raise ConfigError(
            f"{source} is of another network than the config ({comparison.summary()}; "
            f"{'; '.join(comparison.differences())}). Use the config that the checkpoint was trained "
            "with: it lies beside it in the work directory"
        )
    if not strict and not comparison.fitting:
        raise ConfigError(
            f"{source} has no parameter in common with this {type(model).__name__}: it holds "
            f"{some(list(found))}, the model needs {some(list(wanted))}. Give a checkpoint "
            "of this network, or leave load_from out"
        )


def _loads(model: nn.Module, found: dict[str, Any]) -> bool:
    """Whether a network that renames or resizes what it loads, as ViT and Swin do, loads it all."""
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
    """Warn of what a config says otherwise than the one that weights were trained with.

    A unit's ``normalize`` or a backbone's dilations have no parameters: with another value the
    weights load, and the scores are worse for no visible reason.

    Args:
        cfg: The config that is run.
        meta: What the checkpoint holds beside the weights; mmengine keeps the config in it.
        source: Where the checkpoint came from, for the message.
    """
    text = meta.get(CONFIG_KEY) if isinstance(meta, dict) else None
    if not isinstance(text, str) or not text:
        return
    try:
        trained = parse_config(text, source=f"the config in {source}")
    except ValueError:  # of another kind of config; nothing is taken from it
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
    """The network itself, without DDP and test-time augmentation around it."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model


def check_data(model: nn.Module, dataset: Any, *, share: float = 0.0) -> None:
    """Compare a model's head with a dataset: classes, and a segmentation's files and labels.

    Args:
        model: The network, or what is wrapped around it.
        dataset: One that is built.
        share: Share of the files that may be missing.

    Raises:
        ConfigError: More are missing.
        ConfigError: They do not fit.
    """
    check_classes(model, dataset)
    head = getattr(unwrap(model), "decode_head", None)
    head = head[-1] if isinstance(head, nn.ModuleList) else head
    check_segmentation_data(dataset, head, share=share)


def check_classes(model: nn.Module, dataset: Any) -> None:
    """Compare the number of classes of a model's heads with a dataset's.

    Args:
        model: The network, or what is wrapped around it.
        dataset: Has the names of its classes in ``metainfo``.

    Raises:
        ConfigError: They differ.
    """
    network = unwrap(model)
    classes = _classes_of(dataset)
    for name in (task.head for task in TASKS):
        head = getattr(network, name, None)
        for one in head if isinstance(head, nn.ModuleList) else [head]:
            num_classes = getattr(one, "num_classes", None)
            if num_classes is None or not classes or num_classes == len(classes):
                continue
            kind = type(
                getattr(dataset, "dataset", dataset)
            ).__name__  # within PerSampleSeedDataset
            raise ConfigError(
                f"the {name.replace('_', ' ')} has num_classes={num_classes}, the dataset "
                f"{kind} has {len(classes)} classes {classes}. Set "
                f"model.{name}.num_classes={len(classes)}, or the dataset's metainfo"
            )


def check_same_classes(trained: Any, other: Any) -> None:
    """Compare the classes of two datasets, such as those to train and to validate on.

    Raises:
        ConfigError: Both name their classes, and they differ in name or order.
    """
    first, second = _classes_of(trained), _classes_of(other)
    if first and second and first != second:
        raise ConfigError(
            f"training knows the classes {first}, validation {second}; expected the same in the "
            "same order, or scores compare unlike things: give both datasets the same folders of "
            "classes, or the same metainfo"
        )


def _classes_of(dataset: Any) -> tuple[str, ...]:
    if "depth_map_path" in (getattr(dataset, "data_prefix", None) or {}):  # of mmseg's NYUDataset
        return ()  # whose classes are rooms: pixels have depths
    return tuple(getattr(dataset, "metainfo", {}).get("classes") or ())
