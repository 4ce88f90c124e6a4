"""mmaction2's video dataset for folders in which some videos are missing or corrupted."""

from __future__ import annotations

import logging
import os.path as osp
from typing import Any, ClassVar

from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS
from mmengine.logging import print_log

from glore_seg.datasets.video.reading import UnreadableVideoError
from glore_seg.datasets.video.transforms import CheckedVideoDecode, CheckedVideoInit
from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.files import read_lines


@DATASETS.register_module()
class CheckedVideoDataset(VideoDataset):
    """mmaction2's ``VideoDataset`` that logs unreadable videos and continues.

    A video is unreadable if it is missing, has no frames, or none of its sampled frames decodes.
    The log names it once. In training a random other video replaces it; in testing blank frames
    are predicted and the sample is marked ``unreadable``, which ``CheckedAccMetric`` counts as an
    error.

    The arguments are those of ``VideoDataset``. Paths in ``ann_file`` may contain the delimiter;
    ``metainfo=dict(classes="classes.txt")`` reads the classes from a file, against which labels
    are checked.

    Raises:
        DataError: ``ann_file`` or the file of classes is missing, a line of the list does not fit,
            or none of the videos exists.
        ConfigError: The pipeline does not read by ``CheckedVideoInit`` and ``CheckedVideoDecode``.
    """

    source: ClassVar[str] = "filename"
    """Key of the path in a sample."""
    line: ClassVar[str] = "path label"
    """Format of a line of the list."""
    readers: ClassVar[tuple[type, ...]] = (CheckedVideoInit, CheckedVideoDecode)
    """Transforms that raise ``UnreadableVideoError`` and accept an ``unreadable`` sample."""

    def __init__(self, **options: Any) -> None:
        self._logged: set[str] = set()
        super().__init__(**options)
        missing = set(self.readers) - {type(transform) for transform in self.pipeline.transforms}
        if missing:
            raise ConfigError(
                f"the pipeline of {type(self).__name__} has no "
                f"{' and no '.join(sorted(kind.__name__ for kind in missing))}: use them instead "
                "of other decoders, which fail at a corrupted video"
            )

    def load_data_list(self) -> list[dict]:
        """Read the list; see the class for what is rejected."""
        classes = self.metainfo.get("classes")
        if isinstance(classes, str):  # mmengine takes the name of a missing file for the classes
            raise DataError(f"metainfo.classes is {classes}, which is missing: see docs/video.md")
        lines = enumerate(read_lines(self.ann_file), start=1)
        items = [self._item(line.strip(), number) for number, line in lines if line.strip()]
        if not any(osp.exists(item[self.source]) for item in items):
            raise DataError(
                f"none of the {len(items)} videos in {self.ann_file} exists: correct data_prefix "
                "in the config, or prepare the data as docs/video.md says"
            )
        return items

    def __getitem__(self, idx: int) -> Any:
        """Read one sample; in training another one if it is unreadable.

        Raises:
            DataError: ``max_refetch`` + 1 videos in a row are unreadable.
        """
        if not self._fully_initialized:
            self.full_init()
        for _ in range(self.max_refetch + 1):
            sample = self.prepare_data(idx)
            if sample is not None:
                return sample
            idx = self._rand_another()
        raise DataError(
            f"{self.max_refetch + 1} videos of {self.ann_file} in a row cannot be read; the log "
            "names them: correct data_prefix or ann_file in the config, or copy the videos again"
        )

    def prepare_data(self, idx: int) -> Any:
        """Read one sample; return None in training if it is unreadable."""
        info = self.get_data_info(idx)
        path, reason = info[self.source], None
        try:
            packed = self.pipeline(info)
        except UnreadableVideoError as error:
            reason = str(error)
            if path not in self._logged:
                self._logged.add(path)
                instead = "it counts as an error" if self.test_mode else "another video replaces it"
                print_log(f"{reason}; {instead}", logger="current", level=logging.WARNING)
            if not self.test_mode:
                return None
            packed = self.pipeline({**self.get_data_info(idx), "unreadable": reason})
        if isinstance(packed, dict) and "data_samples" in packed:  # mmaction2 packs no name
            packed["data_samples"].set_metainfo({self.source: path})
            if reason:
                packed["data_samples"].set_metainfo({"unreadable": reason})
        return packed

    def _item(self, line: str, number: int) -> dict:
        path, _, label = line.rpartition(self.delimiter)
        if self.test_mode and not path:
            path, label = line, "-1"
        if not path:
            raise self._line_error(line, number)
        filename = osp.join(self.data_prefix.get("video") or "", path)
        return {"filename": filename, "label": self._label(label, line, number)}

    def _label(self, text: str, line: str, number: int) -> int:
        """Return the label of a line; -1 in testing says that it is unknown."""
        if not text.removeprefix("-").isdecimal():
            raise self._line_error(line, number)
        label, classes = int(text), self.metainfo.get("classes")
        least, last = -1 if self.test_mode else 0, len(classes) - 1 if classes else int(text)
        if not least <= label <= last:
            raise DataError(
                f"line {number} of {self.ann_file} has label {label}; expected {least} to "
                f"{max(last, least)}: correct the list or metainfo"
            )
        return label

    def _line_error(self, line: str, number: int) -> DataError:
        return DataError(f"line {number} of {self.ann_file} is {line!r}; expected `{self.line}`")
