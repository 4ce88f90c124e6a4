"""The dataset of a split, with deterministic loading."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.apis.tasks import require_segmentation, task_of
from glore_seg.errors import ConfigError
from glore_seg.utils.progress import track

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

    In the layout of Cityscapes these are ``leftImg8bit/SPLIT`` and ``gtFine/SPLIT``; ``"test"`` has
    no labels. Otherwise it is the dataset of the config's ``SPLIT_dataloader``. Labels are loaded
    as in the test pipeline, else as in the val pipeline, if one of them loads labels.

    Args:
        cfg: The config.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        ConfigError: The dataset wraps others.
    """
    tested = plain_dataset(cfg, "test")
    if task_of(cfg).name != "segmentation":
        init_default_scope(cfg.default_scope)
        return DATASETS.build(plain_dataset(cfg, split))
    labels = _label_loaders(tested.pipeline)
    if not labels and cfg.get("val_dataloader"):
        labels = _label_loaders(cfg.val_dataloader.dataset.get("pipeline", []))
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


def read_labels(dataset: BaseDataset) -> Iterator[np.ndarray]:
    """Read the labels of :func:`build_image_dataset`, without its images, with a progress bar.

    Yields:
        Label maps, (H, W) of class indices, 255 where ignored; uint8.

    Raises:
        ConfigError: The split has no labels.
    """
    loaders = [t for t in dataset.pipeline.transforms if type(t).__name__ in _LOADS_LABELS]
    if not loaders:
        raise ConfigError(
            f"the split has no labels; expected a test or val pipeline with one of {_LOADS_LABELS}:"
            " give another --split, or set the pipeline in the config"
        )
    for index in track(range(len(dataset)), len(dataset), "labels"):
        item = dataset.get_data_info(index)
        for loader in loaders:
            item = loader(item)
        yield item["gt_seg_map"]


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
        elif item["type"] not in _LOADS_LABELS:
            if "transforms" in item:
                item = {**item, "transforms": without_labels(item["transforms"])}
            kept.append(item)
    return kept


def loads_labels(transforms: Any) -> bool:
    """Whether a pipeline loads labels, not counting the lists of ``TestTimeAug``."""
    return bool(_label_loaders(transforms))


def _label_loaders(transforms: Any) -> list[Any]:
    return [item for item in transforms if item["type"] in _LOADS_LABELS]


def _set_split(dataset: Any, split: str) -> None:
    dataset.data_prefix = {"img_path": f"{_IMAGES}/{split}"}
    for key in ("ann_file", "indices"):  # would select some of the images
        dataset.pop(key, None)
    dataset.test_mode = True
