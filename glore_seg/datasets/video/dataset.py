"""mmaction2's datasets for folders in which some videos or frames are missing or corrupted."""

import os.path as osp
from typing import Any, ClassVar

from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS

from glore_seg.datasets.video.reading import UnreadableVideoError
from glore_seg.datasets.video.transforms import (
    CheckedFrameDecode,
    CheckedVideoDecode,
    CheckedVideoInit,
    warn_once,
)
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

    source: ClassVar[str] = "filename"  # key of the path in a sample
    line: ClassVar[str] = "path label"  # format of a line of the list
    readers: ClassVar[tuple[type, ...]] = (CheckedVideoInit, CheckedVideoDecode)

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
        """Read one sample; in training another one if it is unreadable."""
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
            instead = "it counts as an error" if self.test_mode else "another video replaces it"
            warn_once(self._logged, path, f"{reason}; {instead}")
            if not self.test_mode:
                return None
            packed = self.pipeline({**self.get_data_info(idx), "unreadable": reason})
        if isinstance(packed, dict) and "data_samples" in packed:  # mmaction2 packs no name
            found = {self.source: path} | ({"unreadable": reason} if reason else {})
            packed["data_samples"].set_metainfo(found)
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
