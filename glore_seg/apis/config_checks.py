"""Settings of a training that do not go together, told before anything is built."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, MODELS, OPTIMIZERS, init_default_scope
from mmseg.evaluation import IoUMetric
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from glore_seg.apis.config_keywords import check_keywords, class_of
from glore_seg.apis.config_names import unused_names
from glore_seg.errors import ConfigError
from glore_seg.evaluation.cityscapes_scores import CITYSCAPES_CLASSES, CityscapesScorer
from glore_seg.evaluation.metrics import CityscapesScoreMetric

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
_HEADS = ("decode_head", "auxiliary_head")
_DECAYS = ("PolyLR", "CosineAnnealingLR")  # which end at their lowest rate
_SCORES = {  # of mmseg's IoUMetric
    "mIoU": ("mIoU", "mAcc"),
    "mDice": ("mDice", "mAcc"),
    "mFscore": ("mFscore", "mPrecision", "mRecall"),
}


def check_config(cfg: Config) -> list[str]:
    """Compare the settings of a training's config with each other.

    Nothing is built or read but the config's files. ``tools/train.py --skip-checks`` leaves it out.

    Returns:
        Warnings: names that nothing reads, a schedule that ends elsewhere than the training, counts
        of epochs in a training by iterations, padding of every image, IoU of a single class.

    Raises:
        ConfigError: Settings that cannot work: a config of mmsegmentation 0.x, keywords that a
            class does not take, misspelled ``metainfo``, class weights of another number, one
            class under softmax, a metric for other classes, a score that no metric gives.
    """
    init_default_scope(cfg.get("default_scope") or "mmseg")
    _check_version(cfg)
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
    warnings = _metric_warnings(cfg) if cfg.get("val_cfg") is not None else ()
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


def _check_metainfo(key: str, dataset: dict) -> None:
    metainfo = dataset.get("metainfo") or {}
    own = getattr(class_of(dataset, DATASETS), "METAINFO", {})
    known = {"classes", "palette", *own} - {*metainfo}
    for name in metainfo:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        if close and name not in {"classes", "palette", *own}:
            raise ConfigError(
                f"{key}.metainfo has {name!r}, which nothing reads; expected {close[0]!r}"
            )
    classes = metainfo.get("classes")
    if isinstance(classes, str) and not Path(classes).suffix:  # else a file with a name a line
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
    softmax = [
        loss.get("type") == "CrossEntropyLoss"
        and not (loss.get("use_sigmoid") or loss.get("use_mask"))
        for loss in losses
    ]
    if number == 1 and all(softmax):
        raise ConfigError(
            f"{key} has one channel under softmax, which is 1 everywhere: the loss is 0, and all "
            "pixels are of that class. For one class and its background expected num_classes=2, "
            "with both in metainfo; with out_channels=1 also loss_decode.use_sigmoid=True and "
            "threshold=0.5"
        )
    for loss, is_softmax in zip(losses, softmax, strict=True):
        weights = loss.get("class_weight")
        if not isinstance(weights, list | tuple) or number is None:
            continue
        if len(weights) != number:
            raise ConfigError(
                f"{key}.loss_decode.class_weight has {len(weights)} values; expected {number}, one "
                "for each class of the head"
            )
        if loss.get("type") == "CrossEntropyLoss" and not is_softmax and number > 1:
            raise ConfigError(
                f"{key}.loss_decode has class_weight and use_sigmoid; mmsegmentation multiplies "
                "columns of the image by them: leave class_weight out, or set use_sigmoid=False"
            )


def _metric_warnings(cfg: Config) -> Iterator[str]:
    evaluator = cfg.get("val_evaluator")
    if isinstance(evaluator, dict):
        evaluator = evaluator.get("metrics", [evaluator])
    metrics = evaluator if isinstance(evaluator, list | tuple) else [evaluator]
    _, dataset = next(_datasets(cfg.get("val_dataloader"), "val_dataloader"), ("", {}))
    classes = _classes_of(dataset)
    if len(classes or ()) == 1 and any(class_of(one, METRICS) is IoUMetric for one in metrics):
        yield (
            f"IoUMetric counts correct background as the only class {classes} too, so that mIoU is "
            "too high: set num_classes=2 with both in metainfo"
        )
    given = [_names_of(metric, classes) for metric in metrics]
    if None in given:
        return  # of a metric that is not known here
    names = {name for one in given for name in one or ()}
    for key, wanted in _monitored(cfg):
        if wanted in names or wanted == "auto" or "loss" in wanted:
            continue
        close = difflib.get_close_matches(wanted, names, n=1)
        shown = [name for name in sorted(names) if "." not in name]
        raise ConfigError(
            f"{key} is {wanted!r}, which val_evaluator does not give; expected one of "
            f"{', '.join(shown)}{f': did you mean {close[0]!r}?' if close else ''}"
        )


def _names_of(metric: Any, classes: list[str] | None) -> set[str] | None:
    """The names of a metric's results; None where they are not known."""
    kind = class_of(metric, METRICS)
    if kind is IoUMetric:
        wanted = metric.get("iou_metrics", ["mIoU"])
        wanted = [wanted] if isinstance(wanted, str) else wanted
        names = {"aAcc", *(name for one in wanted for name in _SCORES.get(one, ()))}
    elif kind is CityscapesScoreMetric and classes:
        unknown = [name for name in classes if name not in CITYSCAPES_CLASSES]
        if unknown:
            raise ConfigError(
                f"val_evaluator is CityscapesScoreMetric, which does not know the classes "
                f"{', '.join(map(str, unknown))}; expected classes of Cityscapes, or IoUMetric for "
                "others: val_evaluator=dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'])"
            )
        names = {*CityscapesScorer(classes).compute().as_dict()}
        names = {n for n in names if metric.get("instances", True) or "iIoU" not in n}
    else:
        return None
    prefix = metric.get("prefix")
    return {f"{prefix}/{name}" if prefix else name for name in names}


def _monitored(cfg: Config) -> Iterator[tuple[str, str]]:
    """Keys and names of the scores that choose the best checkpoint or stop the training."""
    best = ((cfg.get("default_hooks") or {}).get("checkpoint") or {}).get("save_best")
    for name in best if isinstance(best, list | tuple) else [best] if best else []:
        yield "default_hooks.checkpoint.save_best", name
    for index, hook in enumerate(cfg.get("custom_hooks") or []):
        if isinstance(hook, dict) and hook.get("type") == "EarlyStoppingHook":
            yield f"custom_hooks.{index}.monitor", hook.get("monitor", "auto")


def _schedule_warnings(cfg: Config) -> Iterator[str]:
    loop = cfg.get("train_cfg") or {}
    by_epoch = "max_iters" not in loop
    unit = "max_epochs" if by_epoch else "max_iters"
    total = loop.get(unit)
    schedulers = cfg.get("param_scheduler") or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    ends = []
    for index, one in enumerate(schedulers):
        kind = str(one.get("type"))
        counts_epochs = one.get("by_epoch", True) and not one.get("convert_to_iter_based")
        if not by_epoch and counts_epochs and kind.endswith("LR") and "Plateau" not in kind:
            yield (
                f"param_scheduler.{index} counts epochs and train_cfg iterations: the learning "
                f"rate will not change; set param_scheduler.{index}.by_epoch=False"
            )
        elif kind in _DECAYS and one.get("by_epoch", True) == by_epoch:
            ends.append((one.get("end") or total, index))
    end, last = max(ends, default=(total, 0))
    if total and end != total:
        what = (
            f"the last {total - end} are trained at the lowest learning rate"
            if end < total
            else "the learning rate does not come down to its end"
        )
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
        later = {name for step in steps[index + 1 :] for name in step}
        if later & {"scale", "size", "pad_to_square", "size_divisor", "scale_factor"}:
            continue
        if size[0] > crop[0] or size[1] > crop[1]:
            share = 1 - crop[0] * crop[1] / (max(size[0], crop[0]) * max(size[1], crop[1]))
            yield (
                f"model.data_preprocessor.size is {tuple(size)}, but {key}.pipeline.{index}."
                f"crop_size is {tuple(crop)}: {share:.0%} of every batch is padding; set both to "
                "the same"
            )
