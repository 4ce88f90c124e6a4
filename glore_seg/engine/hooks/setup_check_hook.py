"""Checks that network, checkpoint and data fit, which mmengine warns of at most."""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner
from mmseg.models import SegDataPreProcessor
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel, StateDictType
from torch.utils.data import IterableDataset

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import differing_settings, resumed_settings, some
from glore_seg.checkpoints.configs import recorded_config
from glore_seg.datasets.batch_sizes import check_batch_sizes
from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.errors import CheckpointError, ConfigError, DataError

_HEADS = ("decode_head", "head", "cls_head")  # of mmseg, mmpretrain, mmaction2
_SAMPLES = 4  # wrong labels are wrong in all images as a rule


@HOOKS.register_module()
class SetupCheckHook(Hook):
    """Checks that network, checkpoint and data fit.

    - Resuming and testing need a checkpoint of this network: all parameters, of the same shapes,
      and no others but an auxiliary head's, which only training uses. Other settings in the
      checkpoint's config are warned of. A checkpoint to start a training from (``load_from``) must
      have a parameter in common.
    - The head must have as many classes as the dataset, and validation the classes of training.
    - A batch of a validation must hold images of one size. A resumed training whose config has
      another optimizer, schedule or length is warned which one holds.
    - The labels of the first samples must be classes of the head. Those of validation are checked
      when a training begins, too.

    Raises:
        CheckpointError: The checkpoint is of another network.
        ConfigError: The numbers or the names of classes differ.
        DataError: A label has other values.
    """

    priority = "VERY_HIGH"

    def __init__(self, count_labels: bool = True) -> None:
        self._count_labels = count_labels
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
        if runner._resume:
            trained = recorded_config(checkpoint.get("meta")) or runner.cfg
            for text in resumed_settings(trained, runner.cfg):
                text = f"{runner._load_from}: {text}"
                print_log(text, logger="current", level=logging.WARNING)

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
        if isinstance(
            getattr(unwrap(runner.model), "data_preprocessor", None), SegDataPreProcessor
        ):
            batch_size = getattr(runner.val_loop.dataloader, "batch_size", None) or 1
            with _same_random_numbers():
                dataset = _dataset_of(runner.val_loop)
                check_batch_sizes(dataset, batch_size, world_size=get_world_size())
        if isinstance(runner._train_loop, BaseLoop):
            check_same_classes(_dataset_of(runner.train_loop), _dataset_of(runner.val_loop))
        self._validation_checked = True

    def before_test(self, runner: Runner) -> None:
        """Check the data of the test."""
        _check_data(runner, runner.test_loop)


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


def _dataset_of(loop: BaseLoop) -> Any:
    dataset = getattr(getattr(loop, "dataloader", None), "dataset", None)
    return dataset.dataset if isinstance(dataset, PerSampleSeedDataset) else dataset


def _check_data(runner: Runner, loop: BaseLoop) -> None:
    dataset = _dataset_of(loop)
    check_classes(runner.model, dataset)
    head = getattr(unwrap(runner.model), "decode_head", None)
    check_labels(dataset, head[-1] if isinstance(head, nn.ModuleList) else head)


def check_classes(model: nn.Module, dataset: Any) -> None:
    """Raise a ConfigError if a model's heads have another number of classes than a dataset."""
    network = unwrap(model)
    classes = _classes_of(dataset)
    for name in _HEADS:
        head = getattr(network, name, None)
        for one in head if isinstance(head, nn.ModuleList) else [head]:
            num_classes = getattr(one, "num_classes", None)
            if num_classes is None or not classes or num_classes == len(classes):
                continue
            raise ConfigError(
                f"model.{name}.num_classes is {num_classes}, but {_name_of(dataset)} has "
                f"{len(classes)} classes {classes}; expected the same number: set "
                f"model.{name}.num_classes={len(classes)}, or the dataset's metainfo"
            )


def _name_of(dataset: Any) -> str:
    """The class of a dataset, or of the first in a wrapper such as RepeatDataset."""
    while inner := getattr(dataset, "datasets", None) or [getattr(dataset, "dataset", None)]:
        if inner[0] is None:
            break
        dataset = inner[0]
    return type(dataset).__name__


def check_same_classes(trained: Any, other: Any) -> None:
    """Raise a ConfigError if names or order of the classes of two datasets differ."""
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


def check_labels(dataset: Any, head: nn.Module | None) -> None:
    """Raise a DataError if a dataset is empty or its first labels are no classes of the head.

    Random numbers are as before. Corrupted samples are left to the data loader, and samples
    without ``gt_sem_seg`` are passed over.
    """
    num_classes, ignored = (getattr(head, name, None) for name in ("num_classes", "ignore_index"))
    if num_classes is None or dataset is None or isinstance(dataset, IterableDataset):
        return
    if len(dataset) == 0:
        raise DataError(
            f"{_name_of(dataset)} has no samples; expected at least one: correct data_root, "
            "data_prefix, img_suffix or ann_file in the config"
        )
    known = {*range(max(num_classes, 2)), ignored, getattr(dataset, "ignore_index", ignored)}
    for sample in _first_samples(dataset):
        label: Tensor = sample.gt_sem_seg.data
        path = sample.get("seg_map_path") or sample.get("img_path")
        if label.dim() != 3 or label.shape[0] != 1:
            raise DataError(
                f"{path} gives a label of shape {tuple(label.shape)}; expected one channel of "
                "class indices, not a color mask: correct seg_map_suffix"
            )
        wrong = [value for value in label.unique().tolist() if value not in known]
        if wrong:
            raise DataError(
                f"{path} gives the classes {wrong[:8]}; expected 0 to {num_classes - 1} and "
                f"{ignored} for ignored pixels: correct num_classes or seg_map_suffix (label ids "
                "are no train ids, see tools/dataset_converters/cityscapes.py), or label_map and "
                "reduce_zero_label of the dataset"
            )


def _first_samples(dataset: Any) -> Iterator[Any]:
    for index in range(min(_SAMPLES, len(dataset))):
        try:
            with _same_random_numbers():
                packed = dataset[index]
        except DataError:  # the loader names it, or replaces it
            continue
        samples = packed.get("data_samples") if isinstance(packed, dict) else None
        sample = samples[0] if isinstance(samples, list) and samples else samples  # mmcv's TTA
        if hasattr(sample, "gt_sem_seg"):
            yield sample


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])
