"""Which images a split means, and how they are read without chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.engine.tasks import require_segmentation, task_of
from glore_seg.errors import ConfigError
from glore_seg.utils.progress import track

_LOADS_LABELS = ("LoadAnnotations", "LoadCheckedAnnotations")
_IMAGES, _LABELS = "leftImg8bit", "gtFine"


def use_split(cfg: Config, split: str) -> None:
    """Test on the images of a split, ``leftImg8bit/SPLIT``, and load no labels.

    Args:
        cfg: The config; its test dataset must be one in the layout of Cityscapes.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        ConfigError: The test dataset is made of others, or the config is not of segmentation.
    """
    require_segmentation(cfg, "a submission")
    dataset = plain_dataset(cfg, "test")
    _set_split(dataset, split)
    dataset.pipeline = without_labels(dataset.pipeline)


def build_image_dataset(cfg: Config, split: str) -> BaseDataset:
    """Open a split to look at: images and labels as stored, whatever the split's own pipeline.

    In the layout of Cityscapes the split is ``leftImg8bit/SPLIT`` with the labels of
    ``gtFine/SPLIT``, as for :func:`use_split`; ``"test"`` has no labels. Datasets of another
    layout, and those of a classifier, are those of the config's ``SPLIT_dataloader``. Labels are
    read as the config's test pipeline reads them, else its val pipeline; where neither does, there
    are none.

    Args:
        cfg: The config.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        ConfigError: The dataset is made of others.
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
            dataset.test_mode = False  # an image without label is then refused
    else:
        dataset = ConfigDict(plain_dataset(cfg, split).to_dict())
    dataset.pop("pack", None)  # of what training reads
    dataset.pipeline = [tested.pipeline[0], *labels, {"type": "PackSegInputs"}]
    init_default_scope(cfg.get("default_scope") or "mmseg")
    return DATASETS.build(dataset)


def read_labels(dataset: BaseDataset) -> Iterator[np.ndarray]:
    """Read the labels of a split alone, without its images, under a bar that shows the time left.

    Args:
        dataset: What :func:`build_image_dataset` gives.

    Yields:
        Label maps, (H, W) of class indices, 255 where ignored; uint8.

    Raises:
        ConfigError: The split has no labels.
    """
    loaders = [t for t in dataset.pipeline.transforms if type(t).__name__ in _LOADS_LABELS]
    if not loaders:
        raise ConfigError(
            "the split has no labels; expected a test or val pipeline with LoadAnnotations or "
            "LoadCheckedAnnotations: give another --split, or set the pipeline in the config"
        )
    for index in track(range(len(dataset)), len(dataset), "labels"):
        item = dataset.get_data_info(index)
        for loader in loaders:
            item = loader(item)
        yield item["gt_seg_map"]


def plain_dataset(cfg: Config, split: str) -> Any:
    """The config of a split's dataset, which is not made of others.

    Raises:
        ConfigError: It is, or the config has none.
    """
    name = f"{split}_dataloader"
    if not cfg.get(name):
        raise ConfigError(
            f"{name} is {cfg.get(name)}; expected one with a dataset: give it in the config"
        )
    dataset = cfg[name].dataset
    if "dataset" in dataset or "datasets" in dataset:
        raise ConfigError(
            f"{name}.dataset is a {dataset.type} of other datasets; expected a single one, "
            "such as CheckedCityscapesDataset: give it in the config"
        )
    return dataset


def without_labels(transforms: Any) -> Any:
    """The same pipeline without the loading of labels, within ``TestTimeAug``'s lists as well."""
    kept = []
    for item in transforms:
        if isinstance(item, list | tuple):
            inner = without_labels(item)
            if inner:  # TestTimeAug combines its lists; an empty one would leave no combination
                kept.append(inner)
        elif item["type"] not in _LOADS_LABELS:
            if "transforms" in item:
                item = {**item, "transforms": without_labels(item["transforms"])}
            kept.append(item)
    return kept


def loads_labels(transforms: Any) -> bool:
    """Whether a pipeline loads labels, ``TestTimeAug``'s lists left aside."""
    return bool(_label_loaders(transforms))


def _label_loaders(transforms: Any) -> list[Any]:
    return [item for item in transforms if item["type"] in _LOADS_LABELS]


def _set_split(dataset: Any, split: str) -> None:
    dataset.data_prefix = {"img_path": f"{_IMAGES}/{split}"}
    for key in ("ann_file", "indices"):  # which would leave images out
        dataset.pop(key, None)
    dataset.test_mode = True
