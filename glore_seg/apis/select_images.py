"""Pictures of a data set or from files.

Shape legend: H, W sizes of a picture as it was stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import mmcv
import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset

from glore_seg.apis.splits import build_picture_dataset
from glore_seg.errors import ConfigError


@dataclass(frozen=True)
class Picture:
    """A picture and, where there is one, its label map.

    Args:
        path: File of the picture.
        label: (H, W) of class indices, 255 where ignored; None without ground truth.
    """

    path: Path
    label: np.ndarray | None = None

    @property
    def image(self) -> np.ndarray:
        """The picture as stored, (H, W, 3), RGB."""
        return mmcv.imread(str(self.path), channel_order="rgb")


def find_pictures(cfg: Config, split: str, wanted: Sequence[str]) -> list[Picture]:
    """Find pictures by index or name in a split of the config's data set, or by file.

    Args:
        cfg: The config. Its data set is opened only where ``wanted`` asks for it.
        split: ``"train"``, ``"val"`` or ``"test"``, see :func:`build_picture_dataset`.
        wanted: For each picture the path of a file, which has no ground truth, or its index in the
            split, or its file's name or the beginning of it; or the path of a folder, for all
            pictures in it, such as the frames of a clip, by name.

    Raises:
        ConfigError: Something is neither a file nor a picture of the split, or more than one, or a
            folder holds no picture.
    """
    dataset: BaseDataset | None = None
    pictures = []
    for name in wanted:
        if Path(name).is_file():
            pictures.append(Picture(Path(name)))
            continue
        if name and Path(name).is_dir():
            pictures += _pictures_within(Path(name))
            continue
        dataset = dataset or build_picture_dataset(cfg, split)
        pictures.append(read_picture(dataset, _index(dataset, name, split)))
    return pictures


def read_picture(dataset: BaseDataset, index: int) -> Picture:
    """Read one picture's label through the data set's pipeline, which must be without chance."""
    sample = dataset[index]["data_samples"]
    label = None
    if "gt_sem_seg" in sample:
        label = sample.gt_sem_seg.data.squeeze(0).numpy().astype(np.uint8)  # (H, W)
    return Picture(Path(sample.img_path), label)


def _pictures_within(folder: Path) -> list[Picture]:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = [Picture(file) for file in files if cv2.haveImageReader(str(file))]
    if not found:
        raise ConfigError(f"folder {folder} holds no picture; expected one or more directly in it")
    return found


def _index(dataset: BaseDataset, name: str, split: str) -> int:
    if name.isdecimal():
        if int(name) >= len(dataset):
            raise ConfigError(
                f"picture {name} of {split}: the data set has {len(dataset)} pictures, the first "
                "is 0"
            )
        return int(name)
    files = [Path(dataset.get_data_info(i)["img_path"]).name for i in range(len(dataset))]
    found = [i for i, file in enumerate(files) if file.startswith(name)]
    if len(found) != 1:
        some = f": {', '.join(files[i] for i in found[:3])}, ..." if found else ""
        raise ConfigError(
            f"picture {name!r} is no file, and {len(found)} pictures of {split} begin with it"
            f"{some}; give a file, an index from 0 to {len(dataset) - 1}, or a name such as "
            f"{files[0]}"
        )
    return found[0]
