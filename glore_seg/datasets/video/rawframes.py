"""mmaction2's dataset of frame folders for data in which some frames are missing or corrupted."""

from __future__ import annotations

import os.path as osp
from typing import Any, ClassVar

from mmaction.registry import DATASETS

from glore_seg.datasets.video.dataset import CheckedVideoDataset
from glore_seg.datasets.video.transforms import CheckedFrameDecode


@DATASETS.register_module()
class CheckedRawframeDataset(CheckedVideoDataset):
    """``CheckedVideoDataset`` for folders of numbered images; replaces ``RawframeDataset``.

    Lines of the list are ``folder frames label``; ``folder`` may contain spaces. The pipeline
    reads by ``CheckedFrameDecode`` and needs no transform before ``SampleFrames``.

    Args:
        filename_tmpl: Names of the images.
        start_index: Number of the first image of a folder.
        **options: As for ``CheckedVideoDataset``; ``data_prefix`` is ``dict(img=...)``.
    """

    source: ClassVar[str] = "frame_dir"
    line: ClassVar[str] = "folder frames label"
    readers: ClassVar[tuple[type, ...]] = (CheckedFrameDecode,)

    def __init__(
        self, *, filename_tmpl: str = "img_{:05}.jpg", start_index: int = 1, **options: Any
    ) -> None:
        self.filename_tmpl = filename_tmpl
        super().__init__(start_index=start_index, **options)

    def get_data_info(self, idx: int) -> dict:
        """Return the entry of the list, and the names of the images."""
        return {**super().get_data_info(idx), "filename_tmpl": self.filename_tmpl}

    def _item(self, line: str, number: int) -> dict:
        words = line.rsplit(None, 2)
        if self.test_mode and len(words) > 1 and not words[-2].isdecimal():
            words = [*line.rsplit(None, 1), "-1"]
        if len(words) != 3 or not words[1].isdecimal() or int(words[1]) < 1:
            raise self._line_error(line, number)
        folder = osp.join(self.data_prefix.get("img") or "", words[0])
        label = self._label(words[2], line, number)
        return {"frame_dir": folder, "total_frames": int(words[1]), "label": label}
