"""Scores, settings, speed and memory of a report."""

import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmengine
import mmseg
import numpy as np
import torch
from mmengine.config import Config

from glore_seg.apis.complexity import Complexity
from glore_seg.apis.evaluation import Evaluation
from glore_seg.apis.predictor import Predictor
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.version import __version__
from glore_seg.visualization.curves import read_scalars

Facts = list[tuple[str, str]]
_PRECISION = {
    "OptimWrapper": "fp32",
    "AmpOptimWrapper": "mixed, fp16",
    "BFloat16OptimWrapper": "mixed, bf16",
}
_TILES = {
    "iIoU class": "miIoU",
    "IoU category": "mIoU_category",
    "iIoU category": "miIoU_category",
}
_NAN = float("nan")


def tiles(evaluation: Evaluation, complexity: Complexity) -> Facts:
    """The main scores."""
    scores = evaluation.scores.as_dict() if evaluation.scores else {}
    found = {title: scores.get(key, _NAN) for title, key in _TILES.items()}
    return [
        ("mIoU", f"{evaluation.mean_iou:.2f} %"),
        *((title, f"{score:.2f} %") for title, score in found.items() if not np.isnan(score)),
        ("pixel accuracy", f"{evaluation.accuracy:.2f} %"),
        ("parameters", f"{complexity.params / 1e6:.2f} M"),
        ("time per image", f"{statistics.median(evaluation.milliseconds):.0f} ms"),
    ]


def class_table(
    predictor: Predictor, evaluation: Evaluation
) -> tuple[list[str], list[tuple[str, Sequence[int], list[float]]]]:
    """Columns and rows of the class table; iIoU only if a class has one."""
    iiou = evaluation.scores.iiou if evaluation.scores else {}
    columns = {
        "IoU": evaluation.iou,
        "iIoU": np.array([iiou.get(name, _NAN) for name in evaluation.classes]),
        "precision": evaluation.precision,
        "recall": evaluation.recall,
        "share of pixels": evaluation.share,
    }
    if np.isnan(columns["iIoU"]).all():
        del columns["iIoU"]
    scores = np.stack([*columns.values()], axis=1).tolist()
    return [*columns], list(zip(evaluation.classes, predictor.palette, scores, strict=True))


def categories(evaluation: Evaluation) -> list[tuple[str, float, float]]:
    """Name, IoU and instance-weighted IoU of each category; empty without label ids."""
    if evaluation.scores is None:
        return []
    iiou = evaluation.scores.iiou_category
    found = evaluation.scores.iou_category.items()
    return [(name, iou, iiou.get(name, _NAN)) for name, iou in found]


def recipe(cfg: Config, predictor: Predictor, checkpoint: Path) -> Facts:
    """The settings of the training that the config has in the usual places."""
    model = cfg.model
    optim_wrapper, train, train_cfg, randomness = (
        cfg.get(key) or {}
        for key in ("optim_wrapper", "train_dataloader", "train_cfg", "randomness")
    )
    wrapper = optim_wrapper.get("type", "OptimWrapper")
    optimizer = optim_wrapper.get("optimizer") or {}
    dataset = train.get("dataset") or {}
    units = [m for m in predictor.model.modules() if isinstance(m, GloReUnit)]
    parts = [model[part] for part in ("backbone", "neck", "decode_head") if model.get(part)]
    facts = {
        "network": ", ".join(map(_type, parts)),
        "GloRe units": ", ".join(f"{u.num_nodes} nodes x {u.num_states} states" for u in units),
        "classes": str(len(predictor.classes)),
        "dataset": str(dataset.get("data_root") or dataset.get("type", "")),
        "crop": " x ".join(map(str, _listed(cfg.get("crop_size")))),
        "batch": f"{train.get('batch_size', '?')} per process",
        "optimizer": ", ".join(f"{key} {value}" for key, value in optimizer.items()),
        "schedule": ", ".join(map(_type, _listed(cfg.get("param_scheduler")))) or "constant",
        "iterations": str(train_cfg.get("max_iters", "")),
        "precision": _PRECISION.get(wrapper, wrapper),
        "seed": str(randomness.get("seed", "not set")),
        "initialized from": str(cfg.get("load_from") or model.get("pretrained") or "scratch"),
        "checkpoint": f"{checkpoint} ({checkpoint.stat().st_size / 1e6:.1f} MB)",
        "versions": f"glore_seg {__version__}, torch {torch.__version__}, mmengine "
        f"{mmengine.__version__}, mmsegmentation {mmseg.__version__}, Python "
        f"{platform.python_version()}",
    }
    return [(name, value or "none") for name, value in facts.items()]


def speed(
    work_dir: Path, evaluation: Evaluation, complexity: Complexity, device: torch.device
) -> Facts:
    """Cost of the network, and time and memory of training and evaluation."""
    size = "{} x {}".format(*evaluation.input_size)
    on_gpu = device.type == "cuda"
    name = (
        torch.cuda.get_device_name(device) if on_gpu else f"{torch.get_num_threads()} CPU threads"
    )
    low, median, high = np.percentile(evaluation.milliseconds, [25, 50, 75])
    params, with_stats = complexity.params / 1e6, complexity.params_with_stats / 1e6
    facts = [
        ("parameters", f"{params:.3f} M; {with_stats:.3f} M with running statistics"),
        ("MACs", f"{complexity.macs / 1e9:.3f} G at {size}"),
        (
            "network, per image",
            f"{median:.1f} ms (quartiles {low:.1f} and {high:.1f}), {size}, on {name}",
        ),
    ]
    try:
        logged = read_scalars(work_dir, beside="loss")
    except ConfigError:
        return [*facts, ("training", "nothing logged")]
    seconds, waiting = (
        statistics.median(value for _, value in logged.get(key, [(0, _NAN)]))
        for key in ("time", "data_time")
    )
    if seconds > 0:
        facts.append(("training", f"{1 / seconds:.2f} iterations/s (median)"))
        facts.append(("waiting for data", f"{100 * waiting / seconds:.1f} % of an iteration"))
    memory = [value / 1024 for _, value in logged.get("memory", [])]
    peak = f"{max(memory):.2f} GiB on the GPU" if memory else "not logged (only on a GPU)"
    return [*facts, ("peak memory of training", peak)]


def _listed(value: Any) -> list[Any]:
    """A list of a setting that a config may have as one value, as several, or not at all."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _type(part: Any) -> str:
    """Type of a module's config, with the depth of a ResNet."""
    if isinstance(part, list | tuple):
        return " + ".join(map(_type, part))
    depth = f"-{part['depth']}" if "depth" in part else ""
    return f"{part.get('type', '?')}{depth}"
