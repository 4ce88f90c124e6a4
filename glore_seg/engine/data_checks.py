"""What of a segmentation dataset would stop a run late, or let it go on with wrong classes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations
from torch import nn

from glore_seg.datasets import CheckedCityscapesDataset, LoadCheckedAnnotations
from glore_seg.datasets.label_checks import LabelFormat, check_single_byte
from glore_seg.datasets.transforms import LoadRandomResizeCropFlip
from glore_seg.engine.data_errors import text_of_empty
from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.image_io import decode_image

_LABELS = 4  # looked at; wrong ones are wrong in all images as a rule


class _Kind(NamedTuple):
    name: str
    option: str
    readers: tuple[type, ...]


_KINDS = {
    "img_path": _Kind("image", "img_suffix", (LoadImageFromFile, LoadRandomResizeCropFlip)),
    "seg_map_path": _Kind(
        "label",
        "seg_map_suffix",
        (LoadAnnotations, LoadCheckedAnnotations, LoadRandomResizeCropFlip),
    ),
}
_HOSTS = ("mmcv", "mmengine", "mmseg", "glore_seg")  # whose transforms change no class


def check_segmentation_data(dataset: Any, head: nn.Module | None, *, share: float = 0.0) -> None:
    """Look for missing files, and at the classes in the first labels.

    Nothing is drawn and no random number taken. Other datasets than mmseg's, and files on a remote
    backend, are left alone; ``CheckedCityscapesDataset`` and ``LoadCheckedAnnotations`` check
    by themselves.

    Args:
        dataset: One that is built; wrappers such as ``ConcatDataset`` are looked into.
        head: Has ``num_classes`` and ``ignore_index``; without them classes are not checked.
        share: Share of the files that may be missing.

    Raises:
        ConfigError: More images or labels are missing.
        ConfigError: The dataset is empty.
        DataError: A label map has other values than the head's classes.
    """
    for one in _segmentation_datasets(dataset):
        if len(one) == 0:
            raise ConfigError(text_of_empty(one))
        if not isinstance(one, CheckedCityscapesDataset):
            _check_files(one, int(share * len(one)))
        _check_first_labels(one, head)


def _segmentation_datasets(dataset: Any) -> Iterator[BaseSegDataset]:
    """The dataset, or those that it wraps."""
    if isinstance(dataset, BaseSegDataset):
        yield dataset
        return
    wrapped = [*(getattr(dataset, "datasets", None) or ())]
    if not wrapped and hasattr(dataset, "__dict__") and "dataset" in vars(dataset):
        wrapped = [dataset.dataset]
    for one in wrapped:
        yield from _segmentation_datasets(one)


def _check_files(dataset: BaseSegDataset, most: int) -> None:
    # A reader of the user's may know what to do without a file, or read no file at all.
    readers = [step for step in _steps(dataset.pipeline) if _reads_local_files(step)]
    kinds = {
        key: names
        for key, names in _KINDS.items()
        if any(type(step) in names.readers for step in readers)
    }
    samples = [dataset.get_data_info(index) for index in range(len(dataset))] if kinds else []
    for key, (kind, option, _) in kinds.items():
        paths = [sample[key] for sample in samples if isinstance(sample.get(key), str)]
        missing = _missing(path for path in paths if "://" not in path)
        if len(missing) > most:
            raise ConfigError(
                f"{type(dataset).__name__}: {len(missing)} of {len(samples)} {kind}s are missing, "
                f"first {missing[0]}; expected a {kind} *{getattr(dataset, option)} in "
                f"{dataset.data_prefix.get(key)} for each image *{dataset.img_suffix} or line of "
                f"ann_file: correct {option}, data_prefix or ann_file in the config, or add the "
                "files"
            )


def _reads_local_files(step: Any) -> bool:
    arguments = getattr(step, "backend_args", None) or {}
    is_old = getattr(step, "file_client_args", None) is not None
    return arguments.get("backend", "local") == "local" and not is_old


def _missing(paths: Iterable[str]) -> list[str]:
    listed: dict[str, set[str]] = {}  # a folder is read once: asking for each file takes longer
    missing = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in listed:
            there = os.path.isdir(folder or ".")
            listed[folder] = set(os.listdir(folder or ".")) if there else set()
        if name not in listed[folder] and not os.path.exists(path):
            missing.append(path)
    return missing


def _check_first_labels(dataset: BaseSegDataset, head: nn.Module | None) -> None:
    loader = _plain_loader(dataset)
    num_classes, ignored = (getattr(head, name, None) for name in ("num_classes", "ignore_index"))
    if loader is None or num_classes is None or ignored is None or not 1 <= num_classes <= 255:
        return
    # one output tells two classes apart
    trained = LabelFormat(max(num_classes, 2), ignored if 0 <= ignored <= 255 else 255)
    for index in range(min(_LABELS, len(dataset))):
        sample = dataset.get_data_info(index)
        label = _stored_label(sample["seg_map_path"], loader)
        if label is None:
            continue
        check_single_byte(label, sample["seg_map_path"])
        table = LabelFormat(
            255, label_map=sample["label_map"], reduce_zero_label=bool(sample["reduce_zero_label"])
        ).class_table()
        label = label.copy() if table is None else table[label]
        label[label == dataset.ignore_index] = trained.ignore_index
        trained.check_values(label, sample["seg_map_path"])


def _stored_label(path: str, loader: LoadAnnotations) -> np.ndarray | None:
    """Return a label map as stored, in bytes if its values fit; None if it cannot be read."""
    try:
        data = fileio.get(path, backend_args=loader.backend_args)
        label = decode_image(data, name=path, as_stored=True, backend=loader.imdecode_backend)
    except (OSError, DataError):  # training reports it, and may skip it
        return None
    label = label.squeeze()
    return label.astype(np.uint8) if label.min() >= 0 and label.max() <= 255 else label


def _plain_loader(dataset: BaseSegDataset) -> LoadAnnotations | None:
    """The loader of mmseg itself, where no transform of the user's may still change the classes."""
    steps = list(_steps(dataset.pipeline))
    if any(type(step).__module__.split(".")[0] not in _HOSTS for step in steps):
        return None
    return next((step for step in steps if type(step) is LoadAnnotations), None)


def _steps(node: Any) -> Iterator[Any]:
    """The transforms of a pipeline, those within others too."""
    if isinstance(node, list | tuple):
        for inner in node:
            yield from _steps(inner)
        return
    yield node
    for name in ("transforms", "subroutines"):
        yield from _steps(getattr(node, name, []))
