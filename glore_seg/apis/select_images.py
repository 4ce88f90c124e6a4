"""Selects images of a dataset by index or name, or from files.

Shape legend: H, W size of an image as stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import mmcv
import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset

from glore_seg.apis.splits import build_image_dataset
from glore_seg.errors import ConfigError


@dataclass(frozen=True)
class SelectedImage:
    """The file of an image and its label map.

    The label map is (H, W) of class indices, 255 where ignored; None without ground truth.
    """

    path: Path
    label: np.ndarray | None = None

    @property
    def image(self) -> np.ndarray:
        """The image as stored, (H, W, 3), RGB."""
        return mmcv.imread(str(self.path), channel_order="rgb")


def find_images(cfg: Config, split: str, wanted: Sequence[str]) -> list[SelectedImage]:
    """Find images in a split of the config's dataset, in files or in folders.

    Args:
        cfg: The config. Its dataset is opened only if it is needed.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_image_dataset`.
        wanted: For each image a file, which has no ground truth; or its index in the split; or the
            name of its file, or a prefix of it. A folder stands for all images in it, by name.

    Raises:
        ConfigError: An entry is none of these, is ambiguous, or is a folder without images.
    """
    dataset: BaseDataset | None = None
    images = []
    for name in wanted:
        if Path(name).is_file():
            images.append(SelectedImage(Path(name)))
        elif name and Path(name).is_dir():
            files = sorted(file for file in Path(name).iterdir() if file.is_file())
            files = [file for file in files if cv2.haveImageReader(str(file))]
            if not files:
                raise ConfigError(f"folder {name} has no images")
            images += [SelectedImage(file) for file in files]
        else:
            dataset = dataset or build_image_dataset(cfg, split)
            images.append(read_image(dataset, find_index(dataset, name, split)))
    return images


def read_image(dataset: BaseDataset, index: int) -> SelectedImage:
    """Read the label of an image through the dataset's pipeline, which must be deterministic."""
    sample = dataset[index]["data_samples"]
    label = None
    if "gt_sem_seg" in sample:
        label = sample.gt_sem_seg.data.squeeze(0).numpy().astype(np.uint8)  # (H, W)
    return SelectedImage(Path(sample.img_path), label)


def find_index(dataset: BaseDataset, name: str, split: str) -> int:
    """Find an image or a video by its index, or by the name of its file or a prefix.

    Raises:
        ConfigError: There is none, or several.
    """
    if name.isdecimal():
        if int(name) >= len(dataset):
            raise ConfigError(f"index {name} of {split}: expected 0 to {len(dataset) - 1}")
        return int(name)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    keys = ("img_path", "filename", "frame_dir")  # of images, videos, videos as frames
    files = [Path(next(info[key] for key in keys if info.get(key))).name for info in infos]
    found = [i for i, file in enumerate(files) if file.startswith(name)]
    if len(found) != 1:
        raise ConfigError(
            f"{name!r} is not a file, and {len(found)} files of {split} begin with it; expected a "
            f"file, an index from 0 to {len(dataset) - 1}, or a name such as {files[0]}"
        )
    return found[0]
