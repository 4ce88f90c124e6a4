"""Images of a dataset or from files.

Shape legend: H, W sizes of an image as it was stored.
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
    """An image and, where there is one, its label map.

    Args:
        path: File of the image.
        label: (H, W) of class indices, 255 where ignored; None without ground truth.
    """

    path: Path
    label: np.ndarray | None = None

    @property
    def image(self) -> np.ndarray:
        """The image as stored, (H, W, 3), RGB."""
        return mmcv.imread(str(self.path), channel_order="rgb")


def find_images(cfg: Config, split: str, wanted: Sequence[str]) -> list[SelectedImage]:
    """Find images by index or name in a split of the config's dataset, or by file.

    Args:
        cfg: The config. Its dataset is opened only where ``wanted`` asks for it.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_image_dataset`.
        wanted: For each image the path of a file, which has no ground truth, or its index in the
            split, or its file's name or the beginning of it; or the path of a folder, for all
            images in it, such as the frames of a clip, by name.

    Raises:
        ConfigError: Something is neither a file nor an image of the split, or more than one, or a
            folder holds no image.
    """
    dataset: BaseDataset | None = None
    images = []
    for name in wanted:
        if Path(name).is_file():
            images.append(SelectedImage(Path(name)))
            continue
        if name and Path(name).is_dir():
            images += _images_within(Path(name))
            continue
        dataset = dataset or build_image_dataset(cfg, split)
        images.append(read_image(dataset, _index(dataset, name, split)))
    return images


def read_image(dataset: BaseDataset, index: int) -> SelectedImage:
    """Read one image's label through the dataset's pipeline, which must be without chance."""
    sample = dataset[index]["data_samples"]
    label = None
    if "gt_sem_seg" in sample:
        label = sample.gt_sem_seg.data.squeeze(0).numpy().astype(np.uint8)  # (H, W)
    return SelectedImage(Path(sample.img_path), label)


def _images_within(folder: Path) -> list[SelectedImage]:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = [SelectedImage(file) for file in files if cv2.haveImageReader(str(file))]
    if not found:
        raise ConfigError(f"folder {folder} holds no image; expected one or more directly in it")
    return found


def _index(dataset: BaseDataset, name: str, split: str) -> int:
    if name.isdecimal():
        if int(name) >= len(dataset):
            raise ConfigError(
                f"image {name} of {split}: the dataset has {len(dataset)} images, the first is 0"
            )
        return int(name)
    files = [Path(dataset.get_data_info(i)["img_path"]).name for i in range(len(dataset))]
    found = [i for i, file in enumerate(files) if file.startswith(name)]
    if len(found) != 1:
        some = f": {', '.join(files[i] for i in found[:3])}, ..." if found else ""
        raise ConfigError(
            f"image {name!r} is no file, and {len(found)} images of {split} begin with it"
            f"{some}; give a file, an index from 0 to {len(dataset) - 1}, or a name such as "
            f"{files[0]}"
        )
    return found[0]
