"""mmaction2's dataset of videos, for folders in which some videos are damaged."""

from __future__ import annotations

import logging
import os.path as osp
from typing import Any, ClassVar

from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS
from mmengine.logging import print_log

from glore_seg.datasets.video.reading import UnreadableVideoError
from glore_seg.datasets.video.transforms import CheckedVideoDecode, CheckedVideoInit
from glore_seg.errors import DataError
from glore_seg.utils.files import read_lines


@DATASETS.register_module()
class CheckedVideoDataset(VideoDataset):
    """mmaction2's ``VideoDataset`` that goes on where a video cannot be read, and says so.

    An unreadable video (missing, empty, without frames, none of its chosen frames decodes) gets
    one line in the log, with its name and what is wrong. In training another video, taken at
    random, stands in for it; where none can be read, the training ends. In testing none is left
    out: blank frames go through the network and the sample is marked ``unreadable``, which
    ``CheckedAccMetric`` counts as an error.

    The arguments are those of ``VideoDataset``. Paths in ``ann_file`` may contain the delimiter;
    ``metainfo=dict(classes="classes.txt")`` takes the classes from a file, against which labels
    are checked.

    Raises:
        DataError: ``ann_file`` or the file of classes is missing, or not one of the videos
            exists.
        DataError: ``ann_file`` is empty, a line of it is not ``path label`` with a class that
            there is, or the pipeline doesn't read with ``CheckedVideoInit`` and
            ``CheckedVideoDecode``.
    """

    source: ClassVar[str] = "filename"
    """Key of what is read in a sample."""
    line: ClassVar[str] = "path label"
    """What a line of the list holds."""
    readers: ClassVar[tuple[type, ...]] = (CheckedVideoInit, CheckedVideoDecode)
    """Transforms that raise ``UnreadableVideoError``, and fill an ``unreadable`` sample."""

    def __init__(self, **options: Any) -> None:
        self._told: set[str] = set()
        self._reason = ""  # why the last one that was tried cannot be read
        super().__init__(**options)
        transforms = {type(transform) for transform in self.pipeline.transforms}
        missing = set(self.readers) - transforms
        if missing:
            raise DataError(
                f"the pipeline of {type(self).__name__} has no "
                f"{' and no '.join(sorted(kind.__name__ for kind in missing))}; other decoders "
                "end the run at a damaged video: put them in place of theirs"
            )

    def load_data_list(self) -> list[dict]:
        """Read the list; see the class for what is refused."""
        if not osp.isfile(self.ann_file):
            raise DataError(
                f"ann_file {self.ann_file} is missing; expected a text file of `{self.line}` "
                "lines: correct data_root or ann_file in the config, or prepare the data as "
                "docs/video.md says"
            )
        classes = self.metainfo.get("classes")
        if isinstance(classes, str):  # mmengine takes a file that is not there for the classes
            raise DataError(
                f"metainfo.classes is {classes}, which is missing; expected a file with a class a "
                "line: correct metainfo in the config, or prepare the data as docs/video.md says"
            )
        items = self._items()
        if not items:
            raise DataError(f"{self.ann_file} lists no videos; expected `{self.line}` lines")
        if not any(osp.exists(item[self.source]) for item in items):
            raise DataError(
                f"none of the {len(items)} videos in {self.ann_file} exists, such as "
                f"{items[0][self.source]}: correct data_prefix in the config"
            )
        return items

    def __getitem__(self, idx: int) -> Any:
        """Read one sample, in training another one where it cannot be read.

        Raises:
            DataError: None of the many that are tried then can be read.
        """
        try:
            return super().__getitem__(idx)
        except Exception as error:
            if type(error) is not Exception or not self._reason:  # mmengine's word of having tried
                raise
            raise DataError(
                f"no video of {self.ann_file} can be read, of {self.max_refetch + 1} that were "
                f"tried in a row, such as: {self._reason}; expected some that can: correct "
                "data_prefix or ann_file in the config, or get the videos again"
            ) from error

    def prepare_data(self, idx: int) -> Any:
        """Read one sample; None in training where it cannot be read, for which another is taken."""
        try:
            packed = super().prepare_data(idx)
        except UnreadableVideoError as error:
            reason = self._reason = str(error)
        else:
            self._reason = ""
            return self._named(packed, idx)
        path = self.get_data_info(idx)[self.source]
        if path not in self._told:
            self._told.add(path)
            instead = (
                "it counts as an error" if self.test_mode else "another video stands in for it"
            )
            print_log(f"{reason}; {instead}", logger="current", level=logging.WARNING)
        if not self.test_mode:
            return None
        packed = self.pipeline({**self.get_data_info(idx), "unreadable": reason})
        packed["data_samples"].set_metainfo({"unreadable": reason})
        return self._named(packed, idx)

    def _named(self, packed: Any, idx: int) -> Any:
        """Note which video it is, for errors and images; mmaction2 packs no name."""
        if isinstance(packed, dict) and "data_samples" in packed:
            path = self.get_data_info(idx)[self.source]
            packed["data_samples"].set_metainfo({self.source: path})
        return packed

    def _items(self) -> list[dict]:
        if self.multi_class:
            return super().load_data_list()
        lines = [
            (number, line.strip()) for number, line in enumerate(read_lines(self.ann_file), start=1)
        ]
        return [self._item(line, number) for number, line in lines if line]

    def _item(self, line: str, number: int) -> dict:
        path, _, label = line.rpartition(self.delimiter)
        if not path and self.test_mode:
            path, label = line, "-1"
        if not path or not label.removeprefix("-").isdecimal():
            raise DataError(
                f"line {number} of {self.ann_file} is {line!r}; expected `path label` with "
                f"{self.delimiter!r} between them and a whole number for a label"
            )
        self._check_label(int(label), number)
        prefix = self.data_prefix.get("video") or ""
        return {"filename": osp.join(prefix, path), "label": int(label)}

    def _check_label(self, label: int, number: int) -> None:
        classes = self.metainfo.get("classes")
        least = -1 if self.test_mode else 0  # -1: none is known, predictions only
        last = len(classes) - 1 if classes else label
        if not least <= label <= last:
            raise DataError(
                f"line {number} of {self.ann_file} has label {label}; expected {least} to "
                f"{max(last, least)}: correct the list or metainfo"
            )
