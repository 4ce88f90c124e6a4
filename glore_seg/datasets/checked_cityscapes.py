"""mmsegmentation's Cityscapes dataset with a check of its folders, and with packed data."""

import os.path as osp
from typing import Any

import mmengine.fileio as fileio
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import print_log
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from glore_seg.datasets.label_checks import TRAIN_IDS_COMMAND
from glore_seg.datasets.packed import attach_pack
from glore_seg.errors import ConfigError, DataError


@DATASETS.register_module()
class CheckedCityscapesDataset(CityscapesDataset):
    """mmsegmentation's ``CityscapesDataset`` that rejects incomplete folders.

    For Cityscapes and other data in its layout (street scenes, converted CamVid). Arguments are
    those of ``CityscapesDataset``; ``metainfo=dict(classes=...)`` selects a subset of the 19
    classes. With ``test_mode=True`` the labels may be missing, as for Cityscapes' test split.
    Folders on a remote file backend are not checked.

    Args:
        pack: Folder of a packed dataset, created by ``tools/dataset_converters/pack.py``, that
            ``LoadRandomResizeCropFlip`` reads instead of the files. The files must stay: their
            sizes and times tell whether the packed dataset is stale.
        **options: Those of ``CityscapesDataset``, which rejects others.

    Raises:
        DataError: The folder of images or labels is missing, there are no images, images have no
            label or the reverse, or the packed dataset is missing, stale or corrupted.
        ConfigError: Nothing in the pipeline reads ``pack``.
    """

    def __init__(self, *, pack: str | None = None, **options: Any) -> None:
        self.pack = pack  # before the parent class lists the images
        super().__init__(**options)
        transforms = self.pipeline.transforms
        if pack and transforms and isinstance(transforms[0], LoadImageFromFile):
            raise ConfigError(
                f"pack is {pack} but the pipeline begins with {type(transforms[0]).__name__}, "
                "which reads the files: begin it with LoadRandomResizeCropFlip, or leave pack out"
            )

    def load_data_list(self) -> list[dict]:
        """List the images with their labels; see the class for what is rejected."""
        backend = (self.backend_args or {}).get("backend", "local")
        if backend != "local":
            if self.pack:
                raise ConfigError(
                    f"pack is {self.pack} but the files are on the backend {backend!r}, where they "
                    "cannot be compared with it: copy them to a local disk, or leave pack out"
                )
            return super().load_data_list()
        images_dir = self._existing_dir("img_path")
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
                f"{key} {folder} is missing (relative to {osp.abspath('.')}): correct data_root or "
                "data_prefix in the config, or prepare the data as data/README.md says"
            )
        return folder

    def _files(self, folder: str, suffix: str) -> set[str]:
        """Return the files below a folder with a suffix, without it."""
        found = fileio.list_dir_or_file(folder, list_dir=False, suffix=suffix, recursive=True)
        return {name[: -len(suffix)] for name in found}

    def _has_labels(self) -> bool:
        """Whether there are labels; only in ``test_mode`` they may be missing."""
        folder = self.data_prefix["seg_map_path"]
        if not self.test_mode:
            self._existing_dir("seg_map_path")
        return not self.test_mode or (
            osp.isdir(folder)
            and any(self._files(folder, end) for end in (self.seg_map_suffix, "_labelIds.png"))
        )

    def _check_pairs(self, items: list[dict]) -> None:
        """Reject images without label and, without ``ann_file``, labels without image."""
        folder = self.data_prefix["seg_map_path"]
        labels = self._files(folder, self.seg_map_suffix)
        wanted = {
            osp.relpath(item["seg_map_path"], folder).removesuffix(self.seg_map_suffix)
            for item in items
        }
        counts = f"{len(wanted)} images, {len(labels)} labels"
        without, alone = sorted(wanted - labels), sorted(labels - wanted)
        label_ids = self.seg_map_suffix.replace("labelTrainIds", "labelIds")
        if without and self._files(folder, label_ids) & {*without}:
            raise DataError(
                f"{len(without)} of {len(wanted)} images have labelIds but no labelTrainIds in "
                f"{folder}, such as {without[0]}: create them with `{TRAIN_IDS_COMMAND}`"
            )
        if without:
            raise DataError(
                f"{counts}: {len(without)} images have no *{self.seg_map_suffix} in {folder}, such "
                f"as {without[0]}: prepare the labels again as data/README.md says"
            )
        if alone and not self.ann_file:
            raise DataError(
                f"{counts}: {len(alone)} labels in {folder} have no image, such as {alone[0]}: "
                "unpack the images again, or remove those labels"
            )
