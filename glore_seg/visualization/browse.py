"""Images and labels of a dataset after its pipeline."""

import random
from pathlib import Path

import mmcv
import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.utils import track_iter_progress

from glore_seg.errors import ConfigError, OutputError
from glore_seg.visualization.panels import draw_panel


def browse(
    dataset: BaseDataset, out_dir: str | Path, *, num_images: int, seed: int = 0
) -> list[Path]:
    """Draw the first images (at most all) of a dataset and their labels, after its transforms.

    The pipeline ends in ``PackSegInputs``; ``seed`` is that of its random transforms. Returns the
    files, named after the images.

    Raises:
        ConfigError: ``num_images`` is below 1, or an image has no label.
        OutputError: One of the files exists.
    """
    if num_images < 1:
        raise ConfigError(f"number of images is {num_images}; expected 1 or more")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    files = []
    for index in track_iter_progress(range(min(num_images, len(dataset)))):
        item = dataset[index]
        sample = item["data_samples"]
        if "gt_sem_seg" not in sample:
            raise ConfigError(
                f"{sample.img_path} has no label; give a split whose pipeline loads labels"
            )
        out_file = out_dir / f"{Path(sample.img_path).stem}.png"
        if out_file.exists():
            raise OutputError(f"{out_file} exists; give another folder or remove it")
        image = item["inputs"].permute(1, 2, 0).numpy()[..., ::-1]  # (3, H, W) BGR to (H, W, 3)
        label = sample.gt_sem_seg.data.squeeze(0).numpy()  # (H, W), not resized by test pipelines
        draw_panel(
            [{"image": mmcv.imresize(image, label.shape[::-1]), "label": label}],
            out_file,
            classes=dataset.metainfo["classes"],
            palette=dataset.metainfo["palette"],
            opacity=0.7,
        )
        files.append(out_file)
    return files
