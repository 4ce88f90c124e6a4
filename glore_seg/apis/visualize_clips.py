"""Projection maps over the frames of a clip: what `tools/visualize.py projections` does for video.

Shape legend: K clips, T frames, H, W sizes of a frame; N nodes, t, h, w sizes of a unit's map.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.apis.model import load_model
from glore_seg.apis.splits import plain_dataset
from glore_seg.apis.visualize import check_figure
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.utils.files import atomic_write
from glore_seg.visualization.clip_projections import draw_clip_projections
from glore_seg.visualization.projections import (
    capture_projections,
    check_nodes,
    find_unit,
    pick_nodes,
)


def visualize_clip_projections(
    cfg: Config,
    checkpoint: str,
    *,
    out_file: Path,
    split: str = "val",
    wanted: Sequence[str] | None = None,
    number: int = 1,
    unit: str | None = None,
    nodes: Sequence[int] | None = None,
    num_nodes: int = 4,
    colors: str = "red-green",
    overwrite: bool = False,
) -> None:
    """Draw the projection weights of a 3D unit's nodes over the frames of one clip.

    The clip is what the config's test pipeline takes from the video; of several it is the middle
    one.

    Args:
        cfg: Config of a network for video with GloRe units.
        checkpoint: Its weights.
        out_file: Image to write.
        split: ``"train"``, ``"val"`` or ``"test"``: the dataset of ``SPLIT_dataloader``.
        wanted: One video: a file, or a folder of frames where the config reads such, or its index
            in the split, or its file's name or the beginning of it. Default: the split's first.
        number: How many videos; a figure has room for one.
        unit: Name of the unit. Default: the last one.
        nodes: Nodes to show. Default: the most distinct, see :func:`pick_nodes`.
        num_nodes: How many of those.
        colors: ``"red-green"`` or ``"orange-blue"``.
        overwrite: Whether ``out_file`` may be there.

    Raises:
        FileExistsError: ``out_file`` is there.
        ConfigError: The network has no such unit, the unit no such node, ``wanted`` is not one
            video, or it cannot be read.
    """
    check_figure(out_file, overwrite=overwrite)
    wanted = wanted or ["0"]
    if len(wanted) != 1 or number != 1:
        raise ConfigError(
            f"{max(len(wanted), number)} videos for a figure; expected one: give each its own --out"
        )
    model = load_model(cfg, checkpoint)
    name, module = find_unit(model, unit)
    if nodes is not None:
        check_nodes(nodes, module.num_nodes)
    sample = _sample(cfg, split, wanted[0])
    clips = sample["inputs"]  # (K, 3, T, H, W)
    clip = clips[len(clips) // 2]
    weights = _project(model, {**sample, "inputs": clip[None]}, module)
    chosen = nodes or pick_nodes([weights], num_nodes)
    with atomic_write(out_file) as aside:
        draw_clip_projections(
            list(clip.permute(1, 2, 3, 0).numpy()),
            weights,
            aside,
            nodes=chosen,
            title=f"{name}: {len(chosen)} of {module.num_nodes} nodes",
            colors=colors,
        )


def _sample(cfg: Config, split: str, wanted: str) -> dict[str, Any]:
    settings = ConfigDict(plain_dataset(cfg, split).to_dict())
    settings.pipeline = plain_dataset(cfg, "test").pipeline
    settings.test_mode = True
    init_default_scope(cfg.default_scope)
    # Not opened: the data need not be there to read a file.
    dataset = DATASETS.build({**settings, "lazy_init": True})
    video = Path(wanted)
    if video.is_file() or (video.is_dir() and hasattr(dataset, "filename_tmpl")):
        return dataset.pipeline(_info(dataset, video))
    dataset.full_init()
    sample = dataset[_index(dataset, wanted, split)]
    reason = sample["data_samples"].get("unreadable")
    if reason:
        raise ConfigError(f"{reason}; give another video")
    return sample


def _info(dataset: Any, video: Path) -> dict[str, Any]:
    """What the pipeline needs to know of a video that is given, a file or a folder of frames."""
    info = {"label": -1, "start_index": dataset.start_index, "modality": dataset.modality}
    template = getattr(dataset, "filename_tmpl", None)  # of a dataset of frames
    if template is None:
        return {**info, "filename": str(video)}
    if not video.is_dir():
        raise ConfigError(f"{video} is a file; expected a folder of frames, as this config reads")
    numbers = itertools.count(dataset.start_index)
    total = next(n for n in numbers if not (video / template.format(n)).is_file())
    if total == dataset.start_index:
        raise ConfigError(f"{video} has no {template.format(total)}; expected frames of a video")
    return {
        **info,
        "frame_dir": str(video),
        "filename_tmpl": template,
        "total_frames": total - dataset.start_index,
    }


def _index(dataset: BaseDataset, name: str, split: str) -> int:
    if name.isdecimal() and int(name) < len(dataset):
        return int(name)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    files = [Path(info.get("filename") or info["frame_dir"]).name for info in infos]
    found = [i for i, file in enumerate(files) if file.startswith(name)]
    if len(found) != 1:
        raise ConfigError(
            f"video {name!r} is no file, and {len(found)} videos of {split} begin with it; give a "
            f"file, an index from 0 to {len(dataset) - 1}, or a name such as {files[0]}"
        )
    return found[0]


def _project(model: Any, sample: dict[str, Any], unit: GloReUnit) -> np.ndarray:
    """Projection weights (N, t, h, w) of a unit on one clip."""
    inputs = model.data_preprocessor(pseudo_collate([sample]), False)["inputs"]
    with torch.no_grad(), capture_projections(unit) as captured:
        model(inputs, mode="tensor")
    assert len(captured) == 1  # a backbone calls each of its units once
    return captured[0].squeeze(0).cpu().numpy()
