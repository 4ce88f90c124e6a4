"""Cityscapes' layout as a dataset that says at the start what is wrong with its folders."""

from __future__ import annotations

import os.path as osp
from typing import Any

import mmengine.fileio as fileio
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import print_log
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from glore_seg.datasets.label_checks import TRAIN_IDS_COMMAND
from glore_seg.datasets.packed import attach_pack
from glore_seg.datasets.transforms import LoadRandomResizeCropFlip
from glore_seg.errors import DataError


@DATASETS.register_module()
class CheckedCityscapesDataset(CityscapesDataset):
    """mmsegmentation's ``CityscapesDataset`` that refuses folders which don't fit.

    For Cityscapes itself and for all in its layout (street scenes, CamVid as converted). The
    arguments are those of ``CityscapesDataset``; ``metainfo=dict(classes=...)`` picks a subset of
    the 19 classes. With ``test_mode=True`` the labels may be absent, as for Cityscapes' test split.
    Folders on a remote file backend are left to mmsegmentation, unchecked.

    Args:
        pack: Folder of a packed copy of the dataset, made by
            ``tools/dataset_converters/pack.py``, that ``LoadRandomResizeCropFlip`` reads in place
            of the files. They must stay where they are: they tell whether the pack is stale.
        **options: Those of ``CityscapesDataset``, which refuses others.

    Raises:
        DataError: If the folder of images or labels, the ``ann_file`` or the ``pack`` is
            missing.
        DataError: If there are no images, or images without label or labels without image;
            if the pack is stale, damaged or read by nothing.
    """

    def __init__(self, *, pack: str | None = None, **options: Any) -> None:
        self.pack = pack  # before the parent class lists the images
        super().__init__(**options)
        transforms = self.pipeline.transforms
        if pack and transforms and isinstance(transforms[0], LoadImageFromFile):
            raise DataError(
                f"pack is {pack} but the pipeline begins with {type(transforms[0]).__name__}, "
                f"which reads the files: begin it with {LoadRandomResizeCropFlip.__name__}, or "
                "leave pack out"
            )

    def load_data_list(self) -> list[dict]:
        """List the images with their labels; see the class for what is refused."""
        if self.backend_args and self.backend_args.get("backend", "local") != "local":
            if self.pack:
                raise DataError(
                    f"pack is {self.pack} but the files are on the backend "
                    f"{self.backend_args['backend']!r}, where it can't be compared with them: copy "
                    "them to a local disk, or leave pack out"
                )
            return super().load_data_list()
        images_dir = self._existing_dir("img_path")
        if self.ann_file and not osp.exists(self.ann_file):
            raise DataError(
                f"ann_file {self.ann_file} is missing; expected a text file with one image name "
                "a line: correct ann_file in the config, or leave it out to take all images"
            )
        if self.data_prefix.get("seg_map_path") is not None and not self._has_labels():
            print_log(
                f"no labels in {self.data_prefix['seg_map_path']}: predictions only, no scores",
                logger="current",
            )
            self.data_prefix["seg_map_path"] = None
        items = super().load_data_list()
        if not items:
            raise DataError(
                f"no image *{self.img_suffix} in {images_dir} or below; expected "
                f"CITY/NAME{self.img_suffix}: correct data_root or img_suffix in the config, or "
                "prepare the data as data/README.md says"
            )
        if self.data_prefix.get("seg_map_path") is not None:
            self._check_pairs(items)
        if self.pack:
            attach_pack(items, self.pack, self.data_root)
        return items

    def _existing_dir(self, key: str) -> str:
        folder = self.data_prefix.get(key)
        if not folder or not osp.isdir(folder):
            raise DataError(
                f"{key} {folder} is missing (from {osp.abspath(folder or '.')}); expected a folder "
                "of Cityscapes' layout: correct data_root or data_prefix in the config, or prepare "
                "the data as data/README.md says"
            )
        return folder

    def _files(self, folder: str, suffix: str) -> set[str]:
        """Return the files below a folder that end in a suffix, less the suffix."""
        found = fileio.list_dir_or_file(folder, list_dir=False, suffix=suffix, recursive=True)
        return {name[: -len(suffix)] for name in found}

    def _has_labels(self) -> bool:
        """Whether there are labels to read; without them only ``test_mode`` may go on."""
        if not self.test_mode:
            self._existing_dir("seg_map_path")
            return True
        folder = self.data_prefix["seg_map_path"]
        return osp.isdir(folder) and bool(
            self._files(folder, self.seg_map_suffix) or self._files(folder, "_labelIds.png")
        )

    def _check_pairs(self, items: list[dict]) -> None:
        """Refuse images without label and, where no list picks images, the reverse."""
        folder = self.data_prefix["seg_map_path"]
        labels = self._files(folder, self.seg_map_suffix)
        wanted = {
            osp.relpath(item["seg_map_path"], folder).removesuffix(self.seg_map_suffix)
            for item in items
        }
        lacking = wanted - labels
        if lacking:
            train_ids = self.seg_map_suffix.endswith("_labelTrainIds.png")
            other = self.seg_map_suffix.replace("labelTrainIds", "labelIds")
            if train_ids and lacking & self._files(folder, other):
                raise DataError(
                    f"{len(lacking)} of {len(wanted)} images have labelIds but no labelTrainIds "
                    f"in {folder} ({_some(lacking)}): make them with `{TRAIN_IDS_COMMAND}`"
                )
            raise DataError(
                f"different count: {len(wanted)} images, {len(labels)} labels; "
                f"{len(lacking)} images have no *{self.seg_map_suffix} in {folder} "
                f"({_some(lacking)}): unpack or prepare the labels again as data/README.md says"
            )
        if not self.ann_file and labels - wanted:
            alone = labels - wanted
            raise DataError(
                f"different count: {len(wanted)} images, {len(labels)} labels; {len(alone)} "
                f"labels in {folder} have no image ({_some(alone)}): unpack the images again, "
                "or remove those labels"
            )


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
