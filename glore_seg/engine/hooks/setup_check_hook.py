"""Checks that network, checkpoint and data fit, which mmengine warns of at most."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner
from mmseg.models import SegDataPreProcessor
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.utils.data import IterableDataset

from glore_seg.checkpoints.comparison import resumed_settings
from glore_seg.checkpoints.configs import recorded_config
from glore_seg.checkpoints.latest import check_resumable
from glore_seg.compat.empty_dataset import describe_empty
from glore_seg.datasets.batch_sizes import check_batch_sizes
from glore_seg.datasets.label_checks import CONVERT_COMMAND
from glore_seg.datasets.label_statistics import wrapped_datasets
from glore_seg.engine.channels import check_channels
from glore_seg.engine.checkpoint_checks import check_state_dict, unwrap, warn_of_other_settings
from glore_seg.engine.dataset_checks import check_files
from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.engine.unused_parameters import check_first_gradients
from glore_seg.errors import ConfigError, CorruptedFileError, DataError
from glore_seg.evaluation.metrics.unseen_classes import warn_of_unseen_classes

_HEADS = ("decode_head", "head", "cls_head")  # of mmseg, mmpretrain, mmaction2
_SAMPLES = 4  # wrong labels are wrong in all images as a rule


@HOOKS.register_module()
class SetupCheckHook(Hook):
    """Checks that network, checkpoint and data fit.

    - Resuming and testing need a checkpoint of this network: all parameters, of the same shapes,
      and no others but an auxiliary head's, which only training uses. Other settings in the
      checkpoint's config are warned of. A checkpoint to start a training from (``load_from``) must
      have a parameter in common. Resuming needs the state of the training, too.
    - The head must have as many classes as the dataset, and validation the classes of training.
    - The first sample must have the channels of the preprocessor; see :func:`check_channels`.
    - A batch of a validation must hold images of one size. A resumed training whose config has
      another optimizer, schedule or length is warned which one holds.
    - The labels of the first samples must be classes of the head. Those of validation are checked
      when a training begins, too.
    - Before a training, a sample of the labels of both is counted, see :func:`count_labels`, and
      what looks wrong is warned of, as are images that a dataset leaves out.
    - mmseg's ``IoUMetric`` names the classes without ground truth.

    Args:
        count_labels: Whether to count labels; the counts are kept in the work folder.

    Raises:
        CheckpointError: The checkpoint is of another network.
        ConfigError: The numbers or the names of classes differ.
        DataError: A label has other values or another format, or all are ignored.
    """

    priority = "VERY_HIGH"

    def __init__(self, *, count_labels: bool = True) -> None:
        self.count_labels = count_labels
        self._validation_checked = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare the parameters of the checkpoint with those of the network."""
        if runner._resume:
            scheduled = bool(runner.param_schedulers)
            check_resumable(checkpoint, source=runner._load_from, scheduled=scheduled)
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
            for text in resumed_settings(trained, runner.cfg, checkpoint):
                text = f"{runner._load_from}: {text}"
                print_log(text, logger="current", level=logging.WARNING)

    def before_train(self, runner: Runner) -> None:
        """Check the data of the training and of its validation."""
        check_first_gradients(runner)
        cache = Path(runner.work_dir, "label_counts.json") if self.count_labels else None
        _check_data(runner, runner.train_loop, "training", cache)
        if isinstance(runner._val_loop, BaseLoop):
            self._check_validation(runner, cache)

    def before_val(self, runner: Runner) -> None:
        """Check the data of the validation, once."""
        if not self._validation_checked:
            self._check_validation(runner, None)

    def _check_validation(self, runner: Runner, cache: Path | None) -> None:
        _check_data(runner, runner.val_loop, "validation", cache)
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
        _check_data(runner, runner.test_loop, "test", None)


def _dataset_of(loop: BaseLoop) -> Any:
    dataset = getattr(getattr(loop, "dataloader", None), "dataset", None)
    return dataset.dataset if isinstance(dataset, PerSampleSeedDataset) else dataset


def _check_data(runner: Runner, loop: BaseLoop, split: str, cache: Path | None) -> None:
    dataset = _dataset_of(loop)
    check_classes(runner.model, dataset)
    network = unwrap(runner.model)
    head = getattr(network, "decode_head", None)
    head = head[-1] if isinstance(head, nn.ModuleList) else head
    check_samples(dataset, head, lambda packed: check_channels(runner.cfg, network, packed))
    classes = _classes_of(dataset) or [str(i) for i in range(getattr(head, "num_classes", 0))]
    ignored: Any = getattr(head, "ignore_index", None)
    ignored = [ignored] if isinstance(ignored, int) else []
    check_files(dataset, split, classes=classes, ignored=ignored, cache=cache)
    warn_of_unseen_classes(getattr(loop, "evaluator", None))


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
            kind = type(next(wrapped_datasets(dataset))).__name__
            raise ConfigError(
                f"model.{name}.num_classes is {num_classes}, but {kind} has "
                f"{len(classes)} classes {classes}; expected the same number: set "
                f"model.{name}.num_classes={len(classes)}, or the dataset's metainfo"
            )


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


def check_samples(
    dataset: Any, head: nn.Module | None, check_first: Callable[[Any], None] | None = None
) -> None:
    """Raise a DataError if a dataset is empty or its first labels are no classes of the head.

    ``check_first`` gets the first sample as it is packed. Random numbers are as before. Corrupted
    samples are left to the data loader, and labels only of samples with ``gt_sem_seg`` are checked.
    """
    if head is None or dataset is None or isinstance(dataset, IterableDataset):
        return
    num_classes, ignored = (getattr(head, name, None) for name in ("num_classes", "ignore_index"))
    if num_classes is not None and len(dataset) == 0:
        raise DataError(describe_empty(dataset))
    known = {*range(max(num_classes or 0, 2)), ignored, getattr(dataset, "ignore_index", ignored)}
    for index, packed in enumerate(_packed(dataset)):
        if index == 0 and check_first is not None:
            check_first(packed)
        sample = _sample_of(packed)
        if num_classes is None or not hasattr(sample, "gt_sem_seg"):
            continue
        label: Tensor = sample.gt_sem_seg.data
        path = sample.get("seg_map_path") or sample.get("img_path")
        if label.dim() != 3 or label.shape[0] != 1:
            raise DataError(
                f"{path} gives a label of shape {tuple(label.shape)}; expected one channel of "
                "class indices, not a color mask: correct seg_map_suffix, or convert it with "
                f"`{CONVERT_COMMAND}`"
            )
        wrong = [value for value in label.unique().tolist() if value not in known]
        if wrong:
            raise DataError(
                f"{path} gives the classes {wrong[:8]}; expected 0 to {num_classes - 1} and "
                f"{ignored} for ignored pixels: correct num_classes or seg_map_suffix (label ids "
                "are no train ids, see tools/dataset_converters/cityscapes.py), or label_map and "
                "reduce_zero_label of the dataset"
            )


def _packed(dataset: Any) -> Iterator[Any]:
    for index in range(min(_SAMPLES, len(dataset))):
        try:
            with _same_random_numbers():
                packed = dataset[index]
        except CorruptedFileError:  # the loader names it, or replaces it
            continue
        yield packed


def _sample_of(packed: Any) -> Any:
    samples = packed.get("data_samples") if isinstance(packed, dict) else None
    return samples[0] if isinstance(samples, list) and samples else samples  # mmcv's TTA


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(states[0])
    np.random.set_state(states[1])
