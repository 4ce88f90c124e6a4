"""Figures of predictions and projection maps, as `tools/visualize.py` draws them.

Shape legend: K clips, T frames, H, W size of a frame; N nodes, t, h, w size of a unit's map.
"""

import heapq
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.apis.model import load_model
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.splits import (
    SelectedImage,
    build_image_dataset,
    find_images,
    find_index,
    plain_dataset,
    read_image,
)
from glore_seg.apis.tasks import require_segmentation, task_of
from glore_seg.errors import ConfigError, DataError
from glore_seg.layers import GloReUnit
from glore_seg.utils.files import atomic_write, check_free
from glore_seg.utils.progress import track
from glore_seg.visualization.comparison import Comparison, draw_comparison
from glore_seg.visualization.projections import (
    capture_projections,
    check_nodes,
    draw_projections,
    find_unit,
    over_frames,
    pick_nodes,
)


def compare_models(
    models: Mapping[str, tuple[Config, str]],
    *,
    out_file: Path,
    split: str = "val",
    wanted: Sequence[str] = (),
    num_images: int = 3,
    candidates: int | None = None,
    num_boxes: int = 3,
    opacity: float = 1.0,
    overwrite: bool = False,
) -> None:
    """Draw the predictions of models side by side (Fig. 5).

    ``models`` are config and checkpoint by the title of the column. The images are from the first
    one's dataset (``split`` as for :func:`build_image_dataset`): the ``wanted`` ones, see
    :func:`find_images`, else the ``num_images`` that differ most, of so many ``candidates``, spaced
    evenly (default: all). The other arguments are those of :func:`draw_comparison`.

    Raises:
        OutputError: ``out_file`` exists and ``overwrite`` is off.
        ConfigError: The models have different classes, one is not for segmentation, or a number
            is below 1.
    """
    check_figure(out_file, overwrite=overwrite)
    _check_number(num_images)
    for cfg, _ in models.values():
        require_segmentation(cfg, "compare")
    predictors = {name: Predictor(*model) for name, model in models.items()}
    first = next(iter(predictors.values()))
    if len({predictor.classes for predictor in predictors.values()}) > 1:
        known = (f"{name}: {', '.join(p.classes)}" for name, p in predictors.items())
        raise ConfigError(f"the models have different classes: {'; '.join(known)}")
    cfg, _ = next(iter(models.values()))

    def compare(image: SelectedImage) -> Comparison:
        predictions = {name: model.predict(image.path) for name, model in predictors.items()}
        return Comparison(first.displayed_image(image), predictions, image.label)

    if wanted:
        images = find_images(cfg, split, wanted)
        shown = [compare(image) for image in track(images, len(images), "predicting")]
    else:
        dataset = build_image_dataset(cfg, split)
        indices = evenly_spaced(dataset, len(dataset) if candidates is None else candidates)
        tracked = track(indices, len(indices), "predicting")
        compared = (compare(read_image(dataset, index)) for index in tracked)
        shown = heapq.nlargest(num_images, compared, key=lambda one: one.difference)
    with atomic_write(out_file) as temporary:
        draw_comparison(
            shown,
            temporary,
            classes=first.classes,
            palette=first.palette,
            num_boxes=num_boxes,
            opacity=opacity,
        )


def visualize_projections(
    cfg: Config,
    checkpoint: str,
    *,
    out_file: Path,
    split: str = "val",
    wanted: Sequence[str] = (),
    num_images: int | None = None,
    unit: str | None = None,
    nodes: Sequence[int] = (),
    num_nodes: int = 4,
    colors: str = "red-green",
    overwrite: bool = False,
) -> None:
    """Draw the projection weights of a unit's nodes over images, or over a clip (Fig. 7).

    ``wanted`` are images, see :func:`find_images`, or one video, see :func:`read_video`; default:
    ``num_images`` (3), spaced evenly over the split, or its first video. Default of ``unit``: the
    last one; of ``nodes``: the ``num_nodes`` most distinct. ``colors`` is one of ``COLORS``.

    Raises:
        OutputError: ``out_file`` exists and ``overwrite`` is off.
        ConfigError: The network has no such unit, the unit no such node, a number is below 1, or
            there is more than one video.
    """
    check_figure(out_file, overwrite=overwrite)
    is_video = task_of(cfg).name == "video"
    videos = max(len(wanted), num_images or 1)
    if is_video and videos > 1:
        raise ConfigError(f"{videos} videos for one figure; expected 1: give each its own --out")
    predictor = None if is_video else Predictor(cfg, checkpoint)
    model = predictor.model if predictor else load_model(cfg, checkpoint)
    name, module = find_unit(model, unit)
    check_nodes(nodes, module.num_nodes)
    if predictor:
        if wanted:
            selected = find_images(cfg, split, wanted)
        else:
            dataset = build_image_dataset(cfg, split)
            indices = evenly_spaced(dataset, 3 if num_images is None else num_images)
            selected = [read_image(dataset, index) for index in indices]
        images = [predictor.displayed_image(image) for image in selected]
        tracked = track(selected, len(selected), "projecting")
        weights = [predictor.project(image.path, module) for image in tracked]
    else:
        images, weights = project_clip(cfg, model, module, split, wanted[0] if wanted else "0")
    nodes = nodes or pick_nodes(weights, num_nodes)
    with atomic_write(out_file) as temporary:
        draw_projections(
            images,
            weights,
            temporary,
            nodes=nodes,
            title=f"{name}: {len(nodes)} of {module.num_nodes} nodes",
            colors=colors,
            clip=is_video,
        )


def project_clip(
    cfg: Config, model: Any, unit: GloReUnit, split: str, video: str
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Project the middle one of the clips that :func:`read_video` reads.

    Returns T frames (H, W, 3), RGB, uint8, and for each the projection weights (N, h, w).
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
    """Read the clips that the test pipeline samples: ``inputs``, (K, 3, T, H, W), ``data_samples``.

    The video is a file, or a folder of frames if the config reads such; or its index in the split,
    or the name of its file there or a prefix.

    Raises:
        ConfigError: There is no such video, or it is ambiguous.
        DataError: It cannot be read.
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
    if reason := sample["data_samples"].get("unreadable"):
        raise DataError(f"{reason}; give another video")
    return sample


def _frames(folder: Path, template: str, start: int) -> dict[str, Any]:
    end = next(n for n in itertools.count(start) if not (folder / template.format(n)).is_file())
    if end == start:
        raise ConfigError(f"{folder} has no {template.format(end)}; expected a folder of frames")
    return {"frame_dir": str(folder), "filename_tmpl": template, "total_frames": end - start}


def check_figure(out_file: Path, *, overwrite: bool) -> None:
    """Raise an OutputError if a figure exists, a ConfigError if matplotlib has no such format."""
    known = [f".{ending}" for ending in Figure().canvas.get_supported_filetypes()]
    if out_file.suffix.lower() not in known:
        raise ConfigError(f"figure is {out_file}; expected a name in one of {', '.join(known)}")
    check_free(out_file, overwrite=overwrite)


def evenly_spaced(dataset: BaseDataset, number: int) -> list[int]:
    """Indices of so many images, spaced evenly over a dataset; at least one, at most all."""
    _check_number(number)
    indices = np.linspace(0, len(dataset) - 1, min(number, len(dataset)))
    return [int(index) for index in indices.round()]


def _check_number(number: int) -> None:
    if number < 1:
        raise ConfigError(f"number of images is {number}; expected 1 or more")
