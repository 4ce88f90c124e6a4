"""Metrics of a validation, and the scores that choose a checkpoint or stop a training."""

import difflib
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from mmengine.registry import HOOKS, METRICS
from mmseg.evaluation import CityscapesMetric, IoUMetric

from glore_seg.apis.config_keywords import class_of
from glore_seg.engine.hooks.validation_loss_hook import ValidationLossHook
from glore_seg.errors import ConfigError
from glore_seg.evaluation.cityscapes_scores import CITYSCAPES_CLASSES, CityscapesScorer
from glore_seg.evaluation.metrics import CityscapesScoreMetric

_SCORES = {  # of mmseg's IoUMetric
    "mIoU": ("mIoU", "mAcc"),
    "mDice": ("mDice", "mAcc"),
    "mFscore": ("mFscore", "mPrecision", "mRecall"),
}


def metric_warnings(cfg: Config, classes: list[str] | None) -> Iterator[str]:
    """Compare the metrics of a validation with its classes, and with what is chosen by them.

    ``classes`` are those of the dataset, if known.

    Raises:
        ConfigError: CityscapesScoreMetric for other classes than Cityscapes'; ``save_best`` or an
            ``EarlyStoppingHook`` asks for a score that no metric gives.
    """
    if cfg.get("val_cfg") is None:
        for key, wanted in _monitored(cfg):
            yield f"{key} is {wanted!r}, but val_cfg is None: no validation gives a score"
        return
    evaluator = cfg.get("val_evaluator")
    if isinstance(evaluator, dict):
        evaluator = evaluator.get("metrics", [evaluator])
    metrics = evaluator if isinstance(evaluator, list | tuple) else [evaluator]
    if len(classes or ()) == 1 and any(class_of(one, METRICS) is IoUMetric for one in metrics):
        yield (
            f"IoUMetric counts correct background as the only class {classes} too, so that mIoU is "
            "too high: set num_classes=2 with both in metainfo"
        )
    given = [_names_of(metric, classes) for metric in metrics]
    if None in given:
        return  # of a metric that is not known here
    names = {name for one in given for name in one or ()}
    if _may_give_loss(cfg):
        names.add("val_loss")
    for key, wanted in _monitored(cfg):
        if wanted in names or wanted == "auto" or ("loss" in wanted and wanted != "val_loss"):
            continue
        if wanted == "val_loss":
            raise ConfigError(
                f"{key} is {wanted!r}, which val_evaluator does not give; expected the hook that "
                "does: add dict(type='ValidationLossHook') to custom_hooks"
            )
        close = difflib.get_close_matches(wanted, names, n=1)
        shown = [name for name in sorted(names) if "." not in name]
        raise ConfigError(
            f"{key} is {wanted!r}, which val_evaluator does not give; expected one of "
            f"{', '.join(shown)}{f': did you mean {close[0]!r}?' if close else ''}"
        )


def _may_give_loss(cfg: Config) -> bool:
    """Whether the hook of the loss is in a config, or one of the user's, which may do the same."""
    kinds = [class_of(hook, HOOKS) for hook in cfg.get("custom_hooks") or []]
    known = ("mmengine", "mmseg", "glore_seg")
    return any(
        kind is None
        or issubclass(kind, ValidationLossHook)
        or kind.__module__.split(".")[0] not in known
        for kind in kinds
    )


def _names_of(metric: Any, classes: list[str] | None) -> set[str] | None:
    """The names of a metric's results; None where they are not known."""
    kind = class_of(metric, METRICS)
    unknown = [name for name in classes or () if name not in CITYSCAPES_CLASSES]
    renamed = kind is CityscapesMetric and len(classes or ()) == len(CITYSCAPES_CLASSES)
    if kind in (CityscapesScoreMetric, CityscapesMetric) and unknown and not renamed:
        raise ConfigError(
            f"val_evaluator is {metric['type']}, which does not know the classes "
            f"{', '.join(map(str, unknown))}; expected classes of Cityscapes, or IoUMetric for "
            "others: val_evaluator=dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'])"
        )
    if kind is IoUMetric:
        wanted = metric.get("iou_metrics", ["mIoU"])
        wanted = [wanted] if isinstance(wanted, str) else wanted
        names = {"aAcc", *(name for one in wanted for name in _SCORES.get(one, ()))}
    elif kind is CityscapesScoreMetric and classes:
        names = {*CityscapesScorer(classes).compute().as_dict()}
        names = {n for n in names if metric.get("instances", True) or "iIoU" not in n}
    else:
        return None
    prefix = metric.get("prefix")
    return {f"{prefix}/{name}" if prefix else name for name in names}


def _monitored(cfg: Config) -> Iterator[tuple[str, str]]:
    """Keys and names of the scores that choose the best checkpoint or stop the training."""
    default = cfg.get("default_hooks") or {}
    hooks = {f"default_hooks.{name}": hook for name, hook in default.items()}
    hooks |= {f"custom_hooks.{i}": hook for i, hook in enumerate(cfg.get("custom_hooks") or [])}
    best = (default.get("checkpoint") or {}).get("save_best")
    for name in best if isinstance(best, list | tuple) else [best] if best else []:
        yield "default_hooks.checkpoint.save_best", name
    for key, hook in hooks.items():
        if issubclass(class_of(hook, HOOKS) or object, EarlyStoppingHook):
            yield f"{key}.monitor", hook.get("monitor", "auto")
