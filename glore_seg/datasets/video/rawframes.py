"""mmaction2's dataset of folders of frames, for folders in which some frames are damaged."""

from __future__ import annotations

import os.path as osp
from typing import Any, ClassVar

from mmaction.registry import DATASETS

from glore_seg.datasets.video.dataset import CheckedVideoDataset
from glore_seg.datasets.video.transforms import CheckedFrameDecode
from glore_seg.errors import DataError


@DATASETS.register_module()
class CheckedRawframeDataset(CheckedVideoDataset):
    """``CheckedVideoDataset`` for folders of numbered images, in place of ``RawframeDataset``.

    The list has lines ``folder frames label``, of which ``folder`` may contain spaces; the
    pipeline reads with ``CheckedFrameDecode`` and needs no transform before ``SampleFrames``.

    Args:
        filename_tmpl: Names of the images.
        start_index: Number of a folder's first image.
        options: As for ``CheckedVideoDataset``; ``data_prefix`` is ``dict(img=...)``, and one label
            a line is all there is.
    """

    source: ClassVar[str] = "frame_dir"
    line: ClassVar[str] = "folder frames label"
    readers: ClassVar[tuple[type, ...]] = (CheckedFrameDecode,)

    def __init__(
        self, *, filename_tmpl: str = "img_{:05}.jpg", start_index: int = 1, **options: Any
    ) -> None:
        if options.get("multi_class"):
            raise DataError(
                "multi_class is True; expected one label a line: take mmaction2's RawframeDataset "
                "for more"
            )
        self.filename_tmpl = filename_tmpl
        super().__init__(start_index=start_index, **options)

    def get_data_info(self, idx: int) -> dict:
        """Return what the list says, and how the images are named."""
        return {**super().get_data_info(idx), "filename_tmpl": self.filename_tmpl}

    def _item(self, line: str, number: int) -> dict:
        words = line.rsplit(None, 2)
        if self.test_mode and len(words) > 1 and not words[-2].isdecimal():
            words = [*line.rsplit(None, 1), "-1"]
        whole = len(words) == 3 and words[2].removeprefix("-").isdecimal()
        if not whole or not words[1].isdecimal() or int(words[1]) < 1:
            raise DataError(
                f"line {number} of {self.ann_file} is {line!r}; expected `{self.line}` with the "
                "number of frames, at least 1, and a whole number for a label"
            )
        folder, frames, label = words[0], int(words[1]), int(words[2])
        self._check_label(label, number)
        prefix = self.data_prefix.get("img") or ""
        return {"frame_dir": osp.join(prefix, folder), "total_frames": frames, "label": label}
