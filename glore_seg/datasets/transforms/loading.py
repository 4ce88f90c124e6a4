"""Read a label map and refuse one that would train on wrong classes in silence."""

from __future__ import annotations

import struct

import cv2
import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS
from PIL import Image

from glore_seg.datasets.cityscapes import TRAIN_IDS_COMMAND
from glore_seg.errors import DataError

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = 16
_PNG_DEPTH = 24  # offsets of bytes in the header
_PNG_COLOR_TYPE = 25
_PNG_PALETTE = 3
_LAST_LABEL_ID = 33


@TRANSFORMS.register_module()
class LoadCheckedAnnotations(LoadAnnotations):
    """mmsegmentation's ``LoadAnnotations`` that checks what it reads.

    The label must be one 8-bit channel, of the size of its image, and hold nothing but the
    indices of the dataset's classes and ``ignore_index``. Values are checked as stored, before
    ``reduce_zero_label`` and the ``label_map`` of a subset of classes change them.

    An image that comes from no dataset, such as those of mmseg's ``MMSegInferencer`` and
    ``inference_model``, which know ``LoadAnnotations`` alone by name, passes without a label.

    Args:
        num_classes: Number of classes in the stored labels, 1 to 255; a ``label_map`` from the data
            set, which has an entry a class, goes first.
        ignore_index: The stored value of pixels without class, 0 to 255.
        reduce_zero_label: As for ``LoadAnnotations``; None takes the dataset's.
        backend_args: As for ``LoadAnnotations``.
        imdecode_backend: As for ``LoadAnnotations``.

    Raises:
        DataError: If an argument is out of its range or a label doesn't fit, with the file.
    """

    def __init__(
        self,
        *,
        num_classes: int = 19,
        ignore_index: int = 255,
        reduce_zero_label: bool | None = None,
        backend_args: dict | None = None,
        imdecode_backend: str = "pillow",
    ) -> None:
        if not 1 <= num_classes <= 255:
            raise DataError(f"num_classes is {num_classes}; expected 1 to 255")
        if not 0 <= ignore_index <= 255:
            raise DataError(f"ignore_index is {ignore_index}; expected 0 to 255")
        super().__init__(
            reduce_zero_label=reduce_zero_label,
            backend_args=backend_args,
            imdecode_backend=imdecode_backend,
        )
        self.num_classes = num_classes
        self.ignore_index = ignore_index

    def _load_seg_map(self, results: dict) -> None:
        if "seg_fields" not in results:  # every dataset of mmseg gives it
            return
        label, table = self.read(results), self.mapping(results)
        results["gt_seg_map"] = label if table is None else cv2.LUT(label, table)
        results["seg_fields"].append("gt_seg_map")

    def read(self, results: dict) -> np.ndarray:
        """Return the checked label as it is stored, shape (H, W), uint8."""
        path = self.path_of(results)
        label = self._read(path, results)
        _check_size(label.shape, results, path)
        self.check_values(label, results)
        return label

    def mapping(self, results: dict) -> np.ndarray | None:
        """Return the 256 values that stored ones turn into, or None where they stay."""
        label_map, reduce_zero = results.get("label_map"), self._reduces_zero(results)
        if not (reduce_zero or label_map):
            return None
        return _mapping(label_map, reduce_zero=reduce_zero)

    def wrong_values(self, results: dict) -> np.ndarray:
        """Return which of the 256 values are no classes as stored, shape (256,), bool."""
        wrong = np.ones(256, bool)
        wrong[: self._known(results)] = False
        wrong[self.ignore_index] = False
        return wrong

    def path_of(self, results: dict) -> str:
        """Return the file of the label, which must have one."""
        path = results.get("seg_map_path")
        if path is None:
            raise DataError(
                f"{results.get('img_path')} has no label: leave LoadCheckedAnnotations out of the "
                "pipeline of data without labels"
            )
        return path

    def _known(self, results: dict) -> int:
        label_map = results.get("label_map")
        return (len(label_map) if label_map else self.num_classes) + self._reduces_zero(results)

    def _reduces_zero(self, results: dict) -> bool:
        reduce_zero = bool(results.get("reduce_zero_label"))
        if self.reduce_zero_label not in (None, reduce_zero):
            raise DataError(
                f"reduce_zero_label is {self.reduce_zero_label} here and {reduce_zero} in the data "
                "set; set it in the dataset alone"
            )
        return reduce_zero

    def _read(self, path: str, results: dict) -> np.ndarray:
        """Return the stored values, shape (H, W), uint8."""
        stored = fileio.get(path, backend_args=self.backend_args)
        is_png = stored.startswith(_PNG) and len(stored) > _PNG_COLOR_TYPE
        if is_png and stored[_PNG_COLOR_TYPE] == _PNG_PALETTE:
            raise DataError(
                f"{path} is a palette image; expected one channel of class indices: save it "
                "without palette, or read *_labelTrainIds.png"
            )
        if is_png and stored[_PNG_DEPTH] < 8:
            raise DataError(
                f"{path} has {stored[_PNG_DEPTH]} bits a pixel; expected 8: decoders stretch fewer "
                "bits to 0 to 255, so save it again with 8"
            )
        if is_png:  # before it is unpacked: a file of bytes may declare gigabytes
            width, height = struct.unpack_from(">II", stored, _PNG_SIZE)
            _check_size((height, width), results, path)
            check_pixels(width * height, path)
        try:
            label = mmcv.imfrombytes(stored, flag="unchanged", backend=self.imdecode_backend)
        except Exception as error:  # decoders raise whatever they stumble over
            raise DataError(
                f"{path} cannot be read as an image ({error}): make it again"
            ) from error
        if label is None:
            raise DataError(f"{path} cannot be read as an image: make it again")
        label = label[..., 0] if label.ndim == 3 and label.shape[2] == 1 else label
        check_channels(label, path)
        return np.ascontiguousarray(label)

    def check_values(self, label: np.ndarray, results: dict) -> None:
        """Refuse a stored label, or a part of it, with values that are no classes."""
        # 255 + 1 is 0 in a byte: one maximum tells, in a third of the table's time
        if self.ignore_index == 255 and (label + np.uint8(1)).max() <= self._known(results):
            return
        wrong = self.wrong_values(results)
        if not cv2.countNonZero(cv2.LUT(label, wrong.astype(np.uint8))):
            return
        known, path = self._known(results), self.path_of(results)
        values = [int(value) for value in np.unique(label) if wrong[value]]
        message = (
            f"{path} holds {values}; expected class indices 0 to {known - 1} and "
            f"{self.ignore_index} for ignored pixels"
        )
        if "labelIds" in path or (known == 19 and max(values) <= _LAST_LABEL_ID):
            raise DataError(
                f"{message}. These look like labelIds: make labelTrainIds with "
                f"`{TRAIN_IDS_COMMAND}` and read *_gtFine_labelTrainIds.png"
            )
        raise DataError(f"{message}: correct the label, num_classes or ignore_index")

    def __repr__(self) -> str:
        """Return the settings."""
        return (
            f"{type(self).__name__}(num_classes={self.num_classes}, "
            f"ignore_index={self.ignore_index}, reduce_zero_label={self.reduce_zero_label}, "
            f"imdecode_backend='{self.imdecode_backend}', backend_args={self.backend_args})"
        )


def check_channels(label: np.ndarray, path: str) -> None:
    """Refuse a label of several channels or of more than a byte.

    Raises:
        DataError: It has them.
    """
    if label.ndim != 2:
        raise DataError(
            f"{path} is a color image of shape {label.shape}; expected one channel of class "
            "indices, as in *_labelTrainIds.png: correct seg_map_suffix"
        )
    if label.dtype != np.uint8:
        raise DataError(
            f"{path} holds {label.dtype}; expected 8-bit class indices, as in "
            "*_labelTrainIds.png (*_instanceIds.png is 16 bits): correct seg_map_suffix"
        )


def check_pixels(number: int, path: str) -> None:
    """Refuse to unpack an image of more pixels than Pillow takes.

    Raises:
        DataError: It has more.
    """
    if Image.MAX_IMAGE_PIXELS is not None and number > 2 * Image.MAX_IMAGE_PIXELS:
        raise DataError(
            f"{path} declares {number} pixels; expected at most {2 * Image.MAX_IMAGE_PIXELS}: it "
            "is damaged, or raise PIL.Image.MAX_IMAGE_PIXELS"
        )


def _check_size(size: tuple[int, ...], results: dict, path: str) -> None:
    # a test pipeline resizes the image before it reads the label: compare as loaded
    shape = results.get("ori_shape")
    if shape is not None and tuple(shape[:2]) != size:
        raise DataError(
            f"{path} is {size[0]} x {size[1]} but its image "
            f"{results.get('img_path')} is {shape[0]} x {shape[1]} (height x width); expected the "
            "same size: make the label again"
        )


def _mapping(label_map: dict[int, int] | None, *, reduce_zero: bool) -> np.ndarray:
    """Return the 256 values that stored ones turn into, as mmsegmentation does step by step."""
    table = np.arange(256)
    if reduce_zero:
        table = np.where((table == 0) | (table == 255), 255, table - 1)
    if label_map:
        mapped = table.copy()
        for old, new in label_map.items():
            mapped[table == old] = new
        table = mapped
    return table.astype(np.uint8)
