"""The figures of a report: scores, recipe, speed and memory."""

import platform
import statistics
from collections.abc import Iterator
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
from glore_seg.visualization.report import ClassRow

Facts = list[tuple[str, str]]
_PRECISION = {
    "OptimWrapper": "fp32",
    "AmpOptimWrapper": "mixed, fp16",
    "BFloat16OptimWrapper": "mixed, bf16",
}


def tiles(evaluation: Evaluation, complexity: Complexity) -> Facts:
    """The figures to see first."""
    found = [("mIoU", f"{evaluation.mean_iou:.2f} %")]
    if evaluation.scores is not None:
        scores = evaluation.scores.as_dict()
        named = {
            "iIoU class": "miIoU",
            "IoU category": "mIoU_category",
            "iIoU category": "miIoU_category",
        }
        found += [
            (title, f"{scores[key]:.2f} %")
            for title, key in named.items()
            if not np.isnan(scores[key])
        ]
    return [
        *found,
        ("pixel accuracy", f"{evaluation.accuracy:.2f} %"),
        ("parameters", f"{complexity.params / 1e6:.2f} M"),
        ("time an image", f"{statistics.median(evaluation.milliseconds):.0f} ms"),
    ]


def class_rows(predictor: Predictor, evaluation: Evaluation) -> list[ClassRow]:
    """Lines of the class table."""
    iiou = evaluation.scores.iiou if evaluation.scores else {}
    return [
        ClassRow(
            name,
            predictor.palette[i],
            float(evaluation.share[i]),
            float(evaluation.iou[i]),
            iiou.get(name, float("nan")),
            float(evaluation.precision[i]),
            float(evaluation.recall[i]),
        )
        for i, name in enumerate(evaluation.classes)
    ]


def categories(evaluation: Evaluation) -> list[tuple[str, float, float]]:
    """Name, IoU and instance-weighted IoU of each category; empty without label ids."""
    if evaluation.scores is None:
        return []
    iiou = evaluation.scores.iiou_category
    return [
        (name, value, iiou.get(name, float("nan")))
        for name, value in evaluation.scores.iou_category.items()
    ]


def recipe(cfg: Config, predictor: Predictor, checkpoint: Path) -> Facts:
    """What was trained how, as far as the config says it in the usual places."""
    model = cfg.model
    optim_wrapper, train, train_cfg, randomness = (
        cfg.get(key) or {}
        for key in ("optim_wrapper", "train_dataloader", "train_cfg", "randomness")
    )
    wrapper = optim_wrapper.get("type", "OptimWrapper")
    schedulers = _listed(cfg.get("param_scheduler"))
    units = [m for m in predictor.model.modules() if isinstance(m, GloReUnit)]
    facts = {
        "network": ", ".join(
            _named(model[part]) for part in ("backbone", "neck", "decode_head") if model.get(part)
        ),
        "GloRe units": ", ".join(f"{u.num_nodes} nodes x {u.num_states} states" for u in units)
        or "none",
        "classes": str(len(predictor.classes)),
        "dataset": ", ".join(sorted(set(_values(train.get("dataset", {}), "data_root"))))
        or "not said",
        "crop": " x ".join(map(str, _listed(cfg.get("crop_size")))) or "not said",
        "batch": f"{train.get('batch_size', '?')} on each process",
        "optimizer": _optimizer(optim_wrapper.get("optimizer") or {}),
        "schedule": ", ".join(s.get("type", "?") for s in schedulers) or "constant",
        "iterations": str(train_cfg.get("max_iters", "not said")),
        "precision": _PRECISION.get(wrapper, wrapper),
        "seed": str(randomness.get("seed", "not set")),
        "started from": str(cfg.get("load_from") or model.get("pretrained") or "scratch"),
        "checkpoint": f"{checkpoint} ({checkpoint.stat().st_size / 1e6:.1f} MB)",
        "page made with": f"glore_seg {__version__}, torch {torch.__version__}, mmengine "
        f"{mmengine.__version__}, mmsegmentation {mmseg.__version__}, Python "
        f"{platform.python_version()}",
    }
    return list(facts.items())


def speed(
    work_dir: Path, evaluation: Evaluation, complexity: Complexity, device: torch.device
) -> Facts:
    """Cost of the network, and time and memory that training logged and evaluation took."""
    height, width = evaluation.input_size
    quartiles = np.percentile(evaluation.milliseconds, [25, 50, 75])
    facts = [
        (
            "parameters",
            f"{complexity.params / 1e6:.3f} M; {complexity.params_with_stats / 1e6:.3f} M with "
            "running statistics",
        ),
        ("MACs", f"{complexity.macs / 1e9:.3f} G at {height} x {width}"),
        (
            "network alone, an image",
            f"{quartiles[1]:.1f} ms (half of them between {quartiles[0]:.1f} and "
            f"{quartiles[2]:.1f}), {height} x {width}, on {_device_name(device)}",
        ),
    ]
    try:
        logged = read_scalars(work_dir, beside="loss")
    except ConfigError:
        return [*facts, ("training", "nothing logged")]
    seconds, waiting = (
        statistics.median(value for _, value in logged[key]) if logged.get(key) else None
        for key in ("time", "data_time")
    )
    if seconds:
        facts.append(("training", f"{1 / seconds:.2f} iterations/s (median)"))
        if waiting is not None:
            facts.append(
                ("waiting for data", f"{100 * waiting / seconds:.1f} % of an iteration (median)")
            )
    memory = [value for _, value in logged.get("memory", [])]
    facts.append(
        (
            "peak memory of training",
            f"{max(memory) / 1024:.2f} GiB on the GPU" if memory else "not logged (only on a GPU)",
        )
    )
    return facts


def _optimizer(optimizer: Any) -> str:
    words = {"lr": "from", "momentum": "momentum", "weight_decay": "decay"}
    given = [f"{word} {optimizer[key]}" for key, word in words.items() if key in optimizer]
    return ", ".join([optimizer.get("type", "not said"), *given])


def _listed(value: Any) -> list[Any]:
    """A list of what a config may give once, several times or not at all."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _named(part: Any) -> str:
    if isinstance(part, list | tuple):
        return " + ".join(_named(one) for one in part)
    depth = f"-{part['depth']}" if "depth" in part else ""
    return f"{part.get('type', '?')}{depth}"


def _values(node: Any, key: str) -> Iterator[str]:
    """All values of a key, within wrappers such as ``ConcatDataset``, too."""
    if isinstance(node, dict):
        if node.get(key):
            yield str(node[key])
        for value in node.values():
            yield from _values(value, key)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _values(value, key)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{device.type.upper()} with {threads} thread{'s' if threads > 1 else ''}"
