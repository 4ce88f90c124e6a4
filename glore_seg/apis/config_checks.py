"""Check the config of a training for settings that contradict each other, before building it."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.registry import DATA_SAMPLERS, DATASETS, MODELS, OPTIMIZERS, init_default_scope
from mmseg.models import EncoderDecoder
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss, OhemCrossEntropy

from glore_seg.apis.config_keywords import check_keywords, class_of
from glore_seg.apis.config_metrics import metric_warnings
from glore_seg.apis.config_names import unused_names
from glore_seg.errors import ConfigError

# Names of mmsegmentation 0.x, and where their settings are today.
_OLD = {
    "optimizer": "optim_wrapper.optimizer",
    "optimizer_config": "optim_wrapper.clip_grad",
    "lr_config": "param_scheduler",
    "runner": "train_cfg",
    "data": "train_dataloader, val_dataloader and test_dataloader",
    "evaluation": "val_evaluator and train_cfg.val_interval",
    "checkpoint_config": "default_hooks.checkpoint",
    "log_config": "default_hooks.logger",
}
# What is looked up by name, so that a misspelled one changes nothing.
_LOOKED_UP = {
    "model.test_cfg": {"mode", "crop_size", "stride"},
    "model.data_preprocessor.test_cfg": {"size", "size_divisor"},
    "optim_wrapper.paramwise_cfg": {
        *("custom_keys", "bypass_duplicate", "dcn_offset_lr_mult", "flat_decay_mult"),
        *("bias_lr_mult", "bias_decay_mult", "norm_decay_mult", "dwconv_decay_mult"),
    },
    "auto_scale_lr": {"enable", "base_batch_size"},
    "env_cfg": {"cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit"},
}
_LOOPS = ("EpochBasedTrainLoop", "IterBasedTrainLoop", "ResumableEpochLoop", "ResumableIterLoop")
_HEADS = ("decode_head", "auxiliary_head")
_DECAYS = ("PolyLR", "CosineAnnealingLR")  # which end at their lowest rate


def check_config(cfg: Config) -> list[str]:
    """Compare the settings of a training's config with each other.

    Nothing is built or read but the config's files. ``tools/train.py --skip-checks`` leaves it out.

    Returns:
        Warnings: names that nothing reads, a schedule that ends elsewhere than the training, counts
        of epochs in a training by iterations, padding of every image, IoU of a single class, scores
        that are asked for without a validation.

    Raises:
        ConfigError: Settings that cannot work: a config of mmsegmentation 0.x, keywords that a
            class does not take, misspelled names, class weights of another number, one
            class under softmax, an epoch without end, slide mode without a size, a metric for other
            classes, a score that no metric gives.
    """
    init_default_scope(cfg.get("default_scope") or "mmseg")
    _check_version(cfg)
    for key, known in _LOOKED_UP.items():
        settings: Any = cfg
        for name in key.split("."):
            settings = settings.get(name) or {}
        _check_spelling(key, settings, known)
    for split in ("train", "val"):
        for key, dataset in _datasets(cfg.get(f"{split}_dataloader"), f"{split}_dataloader"):
            check_keywords(key, dataset, DATASETS)
            _check_metainfo(key, dataset)
    for name in ("backbone", "neck"):
        check_keywords(f"model.{name}", cfg.model.get(name), MODELS)
    for key, head in _heads(cfg):
        check_keywords(key, head, MODELS)
        _check_losses(key, head)
    wrapper = cfg.get("optim_wrapper") or {}
    if "constructor" not in wrapper:  # which may read settings of its own
        check_keywords("optim_wrapper.optimizer", wrapper.get("optimizer"), OPTIMIZERS)
    _check_loop(cfg)
    if cfg.get("val_cfg") is not None:
        _check_slide(cfg)
    _, dataset = next(_datasets(cfg.get("val_dataloader"), "val_dataloader"), ("", {}))
    warnings = metric_warnings(cfg, _classes_of(dataset))
    checks = (unused_names, _schedule_warnings, _padding_warnings)
    return [*warnings, *(text for check in checks for text in check(cfg))]


def _check_version(cfg: Config) -> None:
    old = [name for name in _OLD if name in cfg]
    if old and ("train_dataloader" not in cfg or "optim_wrapper" not in cfg):
        renamed = "; ".join(f"{name} is {_OLD[name]}" for name in old)
        raise ConfigError(
            f"the config has {', '.join(old)} of mmsegmentation 0.x; expected the names of 1.x: "
            f"{renamed}. Inherit from a config of 1.x, such as _base_ = 'mmseg::...'"
        )


def _datasets(node: Any, key: str) -> Iterator[tuple[str, dict]]:
    """The datasets of a loader by their keys, without the wrappers (RepeatDataset, ...)."""
    if isinstance(node, list | tuple):
        for index, part in enumerate(node):
            yield from _datasets(part, f"{key}.{index}")
    elif isinstance(node, dict):
        inner = [name for name in ("dataset", "datasets") if name in node]
        for name in inner:
            yield from _datasets(node[name], f"{key}.{name}")
        if not inner and "type" in node:
            yield key, node


def _heads(cfg: Config) -> Iterator[tuple[str, dict]]:
    for name in _HEADS:
        head = cfg.model.get(name)
        if isinstance(head, dict):
            yield f"model.{name}", head
        for index, part in enumerate(head if isinstance(head, list | tuple) else ()):
            yield f"model.{name}.{index}", part


def _classes_of(dataset: dict) -> list[str] | None:
    own = (dataset.get("metainfo") or {}).get("classes")
    inherited = getattr(class_of(dataset, DATASETS), "METAINFO", {}).get("classes")
    classes = inherited if own is None else own
    return None if classes is None or isinstance(classes, str) else list(classes)


def _check_spelling(key: str, settings: dict, known: set[str]) -> None:
    for name in set(settings) - known:
        close = difflib.get_close_matches(name.lower(), known - set(settings), n=1, cutoff=0.8)
        if close:
            raise ConfigError(f"{key} has {name!r}, which nothing reads; expected {close[0]!r}")


def _check_metainfo(key: str, dataset: dict) -> None:
    metainfo = dataset.get("metainfo") or {}
    own = getattr(class_of(dataset, DATASETS), "METAINFO", {})
    _check_spelling(f"{key}.metainfo", metainfo, {"classes", "palette", *own})
    classes = metainfo.get("classes")
    # the path of a file with a name a line is taken, too
    if isinstance(classes, str) and not Path(classes).suffix and not Path(classes).exists():
        raise ConfigError(
            f"{key}.metainfo.classes is the text {classes!r}; expected a tuple or list of names: "
            f"write ({classes!r},) with a comma for one class"
        )


def _check_losses(key: str, head: dict) -> None:
    own = getattr(class_of(head, MODELS), "loss_by_feat", None)
    if own is not BaseDecodeHead.loss_by_feat:  # which compares a channel with each class
        return
    number = head.get("out_channels") or head.get("num_classes")
    losses = head.get("loss_decode") or {"type": "CrossEntropyLoss"}
    losses = losses if isinstance(losses, list | tuple) else [losses]
    kinds = [class_of(loss, MODELS) for loss in losses]
    softmax = [
        kind is OhemCrossEntropy
        or (kind is CrossEntropyLoss and not (loss.get("use_sigmoid") or loss.get("use_mask")))
        for kind, loss in zip(kinds, losses, strict=True)
    ]
    if number == 1 and all(softmax):
        raise ConfigError(
            f"{key} has one channel under softmax, which is 1 everywhere: the loss is 0, and all "
            "pixels are of that class. For one class and its background expected num_classes=2, "
            "with both in metainfo; with out_channels=1 also loss_decode.use_sigmoid=True and "
            "threshold=0.5"
        )
    for loss, kind, is_softmax in zip(losses, kinds, softmax, strict=True):
        weights = loss.get("class_weight")
        if not isinstance(weights, list | tuple) or number is None:
            continue
        if len(weights) != number:
            raise ConfigError(
                f"{key}.loss_decode.class_weight has {len(weights)} values; expected {number}, one "
                "for each class of the head"
            )
        if kind is CrossEntropyLoss and not is_softmax and number > 1:
            raise ConfigError(
                f"{key}.loss_decode has class_weight and use_sigmoid; mmsegmentation multiplies "
                "columns of the image by them: leave class_weight out, or set use_sigmoid=False"
            )


def _check_loop(cfg: Config) -> None:
    loop, loader = cfg.get("train_cfg") or {}, cfg.get("train_dataloader") or {}
    if "max_epochs" not in loop or loop.get("type", "EpochBasedTrainLoop") not in _LOOPS:
        return
    if "max_iters" in loop:
        raise ConfigError(
            f"train_cfg has max_iters={loop['max_iters']} and max_epochs={loop['max_epochs']}; "
            "expected one of them: train_cfg=dict(_delete_=True, by_epoch=True, max_epochs=...)"
        )
    is_infinite = class_of(loader.get("sampler"), DATA_SAMPLERS) is InfiniteSampler
    if is_infinite and "num_batch_per_epoch" not in loader:
        raise ConfigError(
            "train_cfg counts epochs, and with InfiniteSampler the first one never ends: set "
            "train_dataloader.sampler.type=DefaultSampler"
        )


def _check_slide(cfg: Config) -> None:
    test_cfg = cfg.model.get("test_cfg") or {}
    kind = class_of(cfg.model, MODELS)
    missing = [name for name in ("crop_size", "stride") if name not in test_cfg]
    if (
        getattr(kind, "inference", None) is EncoderDecoder.inference
        and test_cfg.get("mode") == "slide"
        and missing
    ):
        raise ConfigError(
            f"model.test_cfg has mode='slide' without {' and '.join(missing)}; expected heights "
            "and widths: set model.test_cfg.crop_size and model.test_cfg.stride"
        )


def _schedule_warnings(cfg: Config) -> Iterator[str]:
    loop = cfg.get("train_cfg") or {}
    by_epoch = "max_iters" not in loop
    unit = "max_epochs" if by_epoch else "max_iters"
    total = loop.get(unit)
    if not total:
        return
    steps = "epochs" if by_epoch else "iterations"
    unfinished = f"does not come down to its end, unless it is resumed with more {steps}"
    schedulers = cfg.get("param_scheduler") or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    decays, spans = [], []
    for index, one in enumerate(schedulers):
        kind = getattr(one.get("type"), "__name__", str(one.get("type"))).split(".")[-1]
        begin, end = one.get("begin") or 0, one.get("end") or total
        counts_epochs = one.get("by_epoch", True) and not one.get("convert_to_iter_based")
        if not by_epoch and counts_epochs and kind.endswith("LR") and "Plateau" not in kind:
            yield (
                f"param_scheduler.{index} counts epochs and train_cfg iterations: the learning "
                f"rate will not change; set param_scheduler.{index}.by_epoch=False"
            )
        if one.get("by_epoch", True) != by_epoch:
            continue
        spans.append((begin, end, index))
        if kind in _DECAYS:
            decays.append((end, index))
        half = one.get("T_max") if kind == "CosineAnnealingLR" else 0
        if half and half not in (end, end - begin):  # `end` where the warm-up is not taken off
            what = "rises again after that" if half < end - begin else unfinished
            text = f"param_scheduler.{index}.T_max is {half}, but it lasts {end - begin} {steps}"
            yield f"{text}: the learning rate {what}; leave T_max out"
        milestone = begin + max(one.get("milestones") or [0]) if kind == "MultiStepLR" else 0
        if milestone >= min(end, total):
            text = f"param_scheduler.{index}.milestones ends at {milestone - begin}"
            yield f"{text}, but train_cfg.{unit} is {total}: the learning rate {unfinished}"
    end, last = max(decays, default=(total, 0))
    end, last = max([(end, last), *(span[1:] for span in spans if span[0] >= end)])
    if end != total:
        what = f"the last {total - end} are trained at the lowest learning rate"
        what = what if end < total else f"the learning rate {unfinished}"
        yield (
            f"train_cfg.{unit} is {total}, but param_scheduler.{last}.end is {end}: {what}; set "
            "both to the same"
        )
    checkpoint = (cfg.get("default_hooks") or {}).get("checkpoint", {})
    if not by_epoch and checkpoint is not None and checkpoint.get("by_epoch", True):
        yield (
            "default_hooks.checkpoint counts epochs and train_cfg iterations: no checkpoint is "
            "written before the end; set default_hooks.checkpoint.by_epoch=False"
        )


def _padding_warnings(cfg: Config) -> Iterator[str]:
    size = (cfg.model.get("data_preprocessor") or {}).get("size")
    for key, dataset in _datasets(cfg.get("train_dataloader"), "train_dataloader"):
        steps = dataset.get("pipeline") or []
        crops = [i for i, one in enumerate(steps) if isinstance(one, dict) and one.get("crop_size")]
        if not isinstance(size, list | tuple) or not crops:
            continue
        index = crops[-1]
        crop = steps[index]["crop_size"]
        crop = (crop, crop) if isinstance(crop, int) else crop
        later = {name for step in steps[index + 1 :] if isinstance(step, dict) for name in step}
        if later & {"scale", "size", "pad_to_square", "size_divisor", "scale_factor"}:
            continue
        if size[0] > crop[0] or size[1] > crop[1]:
            share = 1 - crop[0] * crop[1] / (max(size[0], crop[0]) * max(size[1], crop[1]))
            yield (
                f"model.data_preprocessor.size is {tuple(size)}, but {key}.pipeline.{index}."
                f"crop_size is {tuple(crop)}: {share:.0%} of every batch is padding; set both to "
                "the same"
            )
