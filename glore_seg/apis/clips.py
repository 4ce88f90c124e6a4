"""Projection maps over the frames of a clip.

Shape legend: K clips, T frames, H, W size of a frame; N nodes, t, h, w size of a unit's map.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.apis.select_images import find_index
from glore_seg.apis.splits import plain_dataset
from glore_seg.errors import ConfigError, DataError
from glore_seg.layers import GloReUnit
from glore_seg.visualization.projections import capture_projections, over_frames


def project_clip(
    cfg: Config, model: Any, unit: GloReUnit, split: str, video: str
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Project the middle one of the clips that the config's test pipeline samples from a video.

    Args:
        cfg: Config of the network.
        model: The network.
        unit: One of its units.
        split: ``"train"``, ``"val"`` or ``"test"``: the dataset of ``SPLIT_dataloader``.
        video: A file, or a folder of frames if the config reads such; or an index in the split; or
            the name of its file, or a prefix of it.

    Returns:
        T frames (H, W, 3), RGB, uint8, and for each the projection weights (N, h, w).

    Raises:
        ConfigError: There is no such video, or it is ambiguous.
        DataError: It cannot be read.
    """
    sample = read_video(cfg, split, video)
    clips = sample["inputs"]  # (K, 3, T, H, W)
    clip = clips[len(clips) // 2]
    batch = pseudo_collate([{**sample, "inputs": clip[None]}])
    with torch.no_grad(), capture_projections(unit) as captured:
        model(model.data_preprocessor(batch, False)["inputs"], mode="tensor")
    (weights,) = captured  # (1, N, t, h, w)
    frames = list(clip.permute(1, 2, 3, 0).numpy())  # T of (H, W, 3)
    return frames, over_frames(weights.squeeze(0).cpu().numpy(), len(frames))


def read_video(cfg: Config, split: str, video: str) -> dict[str, Any]:
    """Read a video, see :func:`project_clip`, by the config's test pipeline.

    Returns:
        ``inputs``, (K, 3, T, H, W), and ``data_samples``.
    """
    settings = ConfigDict(plain_dataset(cfg, split).to_dict())
    settings.pipeline = plain_dataset(cfg, "test").pipeline
    settings.test_mode = True
    init_default_scope(cfg.default_scope)
    # Not opened: files can be read without the dataset.
    dataset = DATASETS.build({**settings, "lazy_init": True})
    path = Path(video)
    template = getattr(dataset, "filename_tmpl", None)  # of a dataset of frames
    if path.is_file() or (template and path.is_dir()):
        info = {"label": -1, "start_index": dataset.start_index, "modality": dataset.modality}
        source = _frames(path, template, dataset.start_index) if template else {"filename": video}
        return dataset.pipeline({**info, **source})
    dataset.full_init()
    sample = dataset[find_index(dataset, video, split)]
    reason = sample["data_samples"].get("unreadable")
    if reason:
        raise DataError(f"{reason}; give another video")
    return sample


def _frames(folder: Path, template: str, start: int) -> dict[str, Any]:
    end = next(n for n in itertools.count(start) if not (folder / template.format(n)).is_file())
    if end == start:
        raise ConfigError(f"{folder} has no {template.format(end)}; expected a folder of frames")
    return {"frame_dir": str(folder), "filename_tmpl": template, "total_frames": end - start}
