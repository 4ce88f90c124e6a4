"""The dataset of a split, with deterministic loading, and selected images of it.

Shape legend: H, W size of an image as stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.apis.tasks import require_segmentation, task_of
from glore_seg.errors import ConfigError

_LOADS_LABELS = ("LoadAnnotations", "LoadCheckedAnnotations")
_IMAGES, _LABELS = "leftImg8bit", "gtFine"


def use_split(cfg: Config, split: str) -> None:
    """Test on the images of ``leftImg8bit/SPLIT``, in the layout of Cityscapes, without labels.

    Raises:
        ConfigError: The test dataset wraps others, or the config is not for segmentation.
    """
    require_segmentation(cfg, "a submission")
    dataset = plain_dataset(cfg, "test")
    _set_split(dataset, split)
    dataset.pipeline = without_labels(dataset.pipeline)


def build_image_dataset(cfg: Config, split: str) -> BaseDataset:
    """Build a dataset of the images and labels of a split as stored, without augmentation.

    In the layout of Cityscapes these are ``leftImg8bit/SPLIT`` and ``gtFine/SPLIT`` (test has no
    labels), otherwise the dataset of ``SPLIT_dataloader``. Labels are loaded as in the test
    pipeline, else as in the val pipeline, if one loads them.

    Raises:
        ConfigError: The dataset wraps others.
    """
    tested = plain_dataset(cfg, "test")
    if task_of(cfg).name != "segmentation":
        init_default_scope(cfg.default_scope)
        return DATASETS.build(plain_dataset(cfg, split))
    labels = label_loaders(tested.pipeline)
    if not labels and cfg.get("val_dataloader"):
        labels = label_loaders(cfg.val_dataloader.dataset.get("pipeline", []))
    if str((tested.get("data_prefix") or {}).get("img_path")).split("/")[0] == _IMAGES:
        dataset = ConfigDict(tested.to_dict())
        _set_split(dataset, split)
        if split == "test":
            labels = []
        if labels:
            dataset.data_prefix.seg_map_path = f"{_LABELS}/{split}"
            dataset.test_mode = False  # refuses an image without label
    else:
        dataset = ConfigDict(plain_dataset(cfg, split).to_dict())
    dataset.pop("pack", None)
    dataset.pipeline = [tested.pipeline[0], *labels, {"type": "PackSegInputs"}]
    init_default_scope(cfg.get("default_scope") or "mmseg")
    return DATASETS.build(dataset)


@dataclass(frozen=True)
class SelectedImage:
    """The file of an image and its label map, (H, W) of class indices, 255 where ignored."""

    path: Path
    label: np.ndarray | None = None

    @property
    def image(self) -> np.ndarray:
        """The image as stored, (H, W, 3), RGB."""
        return mmcv.imread(str(self.path), channel_order="rgb")


def find_images(cfg: Config, split: str, wanted: Sequence[str]) -> list[SelectedImage]:
    """Find images in a split of the config's dataset (opened only if needed), in files or folders.

    Each wanted one is a file, which has no ground truth; or its index in the split; or the name of
    its file, or a prefix of it. A folder stands for all images in it, by name.

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


def plain_dataset(cfg: Config, split: str) -> Any:
    """The config of a split's dataset; a ConfigError if there is none or it wraps others."""
    name = f"{split}_dataloader"
    if not cfg.get(name):
        raise ConfigError(f"{name} is {cfg.get(name)}; expected one with a dataset")
    dataset = cfg[name].dataset
    if "dataset" in dataset or "datasets" in dataset:
        raise ConfigError(
            f"{name}.dataset is a {dataset.type} of other datasets; expected a single one, such as "
            "CheckedCityscapesDataset"
        )
    return dataset


def read_metainfo(cfg: Config, split: str = "test") -> dict[str, Any]:
    """Classes and palette of a split's dataset, whose files may be missing."""
    init_default_scope(cfg.get("default_scope") or "mmseg")
    return dict(DATASETS.build({**plain_dataset(cfg, split), "lazy_init": True}).metainfo)


def without_labels(transforms: Any) -> Any:
    """The pipeline without the loading of labels, also in the lists of ``TestTimeAug``."""
    kept = []
    for item in transforms:
        if isinstance(item, list | tuple):
            inner = without_labels(item)
            if inner:  # TestTimeAug combines its lists: an empty one would leave nothing
                kept.append(inner)
        elif not _loads_labels(item):
            if "transforms" in item:
                item = {**item, "transforms": without_labels(item["transforms"])}
            kept.append(item)
    return kept


def label_loaders(transforms: Any) -> list[Any]:
    """The transforms that load labels, not counting the lists of ``TestTimeAug``."""
    return [item for item in transforms if _loads_labels(item)]


def _loads_labels(item: Any) -> bool:
    return str(item["type"]).rpartition(".")[2] in _LOADS_LABELS  # "mmseg.LoadAnnotations"


def _set_split(dataset: Any, split: str) -> None:
    dataset.data_prefix = {"img_path": f"{_IMAGES}/{split}"}
    for key in ("ann_file", "indices"):  # would select some of the images
        dataset.pop(key, None)
    dataset.test_mode = True
