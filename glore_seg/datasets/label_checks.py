"""Check label maps for what would train on wrong classes without an error.

Used by the loading transforms, by packing, by the conversion of CamVid, and by the check of a
dataset before training.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.image_io import decode_image, read_header

TRAIN_IDS_COMMAND = "python tools/dataset_converters/cityscapes.py DATA_ROOT"
"""Creates ``labelTrainIds`` images, for messages."""

CONVERT_COMMAND = "python tools/dataset_converters/labels.py LABELS OUT"
"""Converts label maps to one channel of 8 bits, for messages."""

_CITYSCAPES_CLASSES = 19
_LAST_LABEL_ID = 33
PNG_DEPTH = 24  # offset of the byte with the bits per channel


@dataclass(frozen=True)
class LabelFormat:
    """Which values label maps store, and which classes they become in training.

    Args:
        num_classes: Number of stored classes, 1 to 255.
        ignore_index: Stored value of pixels without class, 0 to 255.
        label_map: Stored class to trained class, of a dataset with a subset of the classes; it
            has an entry for each stored class.
        reduce_zero_label: Whether 0 is stored for pixels without class, and k + 1 for class k.

    Raises:
        ConfigError: A number is out of range.
    """

    num_classes: int
    ignore_index: int = 255
    label_map: dict[int, int] | None = None
    reduce_zero_label: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.num_classes <= 255:
            raise ConfigError(f"num_classes is {self.num_classes}; expected 1 to 255")
        if not 0 <= self.ignore_index <= 255:
            raise ConfigError(f"ignore_index is {self.ignore_index}; expected 0 to 255")

    @property
    def num_stored(self) -> int:
        """Number of values 0, 1, ... that may be stored, besides ``ignore_index``."""
        return (len(self.label_map) if self.label_map else self.num_classes) + int(
            self.reduce_zero_label
        )

    def class_table(self) -> np.ndarray | None:
        """Return the class of each stored value, (256,), uint8; None if values stay.

        The result is that of mmsegmentation's ``LoadAnnotations``.
        """
        if not (self.reduce_zero_label or self.label_map):
            return None
        table = np.arange(256)
        if self.reduce_zero_label:
            table = np.where((table == 0) | (table == 255), 255, table - 1)
        mapped = table.copy()
        for old, new in (self.label_map or {}).items():
            mapped[table == old] = new
        return mapped.astype(np.uint8)

    def check_values(self, label: np.ndarray, path: str) -> None:
        """Check the stored values of a label map or a crop, (H, W), uint8, of the file ``path``.

        Raises:
            DataError: Some are neither classes nor ``ignore_index``.
        """
        # 255 + 1 is 0 in a byte: one maximum is enough, in a third of the table's time
        if self.ignore_index == 255 and (label + np.uint8(1)).max() <= self.num_stored:
            return
        unknown = np.ones(256, bool)
        unknown[: self.num_stored] = False
        unknown[self.ignore_index] = False
        if not cv2.countNonZero(cv2.LUT(label, unknown.astype(np.uint8))):
            return
        values = [int(value) for value in np.unique(label) if unknown[value]]
        message = (
            f"{path} holds {values}; expected class indices 0 to {self.num_stored - 1} and "
            f"{self.ignore_index} for ignored pixels"
        )
        is_cityscapes = self.num_stored == _CITYSCAPES_CLASSES
        if "labelIds" in path or (is_cityscapes and max(values) <= _LAST_LABEL_ID):
            raise DataError(
                f"{message}. These look like label ids: create train ids with "
                f"`{TRAIN_IDS_COMMAND}` and read *_gtFine_labelTrainIds.png"
            )
        raise DataError(
            f"{message}: correct num_classes or ignore_index, set reduce_zero_label=True if 0 is "
            f"no class, or convert them with `{CONVERT_COMMAND} --map OLD=NEW ...`"
        )


def decode_label(data: bytes, *, path: str, backend: str = "cv2") -> np.ndarray:
    """Decode a label map to its stored values, (H, W), uint8; of a palette image the indices.

    A DataError says that the file ``path`` is not an image of one channel of 8 bits.
    """
    header = read_header(data, name=path)
    is_palette = header.mode == "P"
    few_bits = header.format == "PNG" and data[PNG_DEPTH] < 8 and not is_palette
    if header.mode == "1" or few_bits:
        raise DataError(
            f"{path} has {data[PNG_DEPTH] if few_bits else 1} bits per pixel, which decoders "
            f"scale to 0 to 255; expected 8: convert it with `{CONVERT_COMMAND}`"
        )
    # OpenCV decodes indices to colors
    backend = "pillow" if is_palette else backend
    label = decode_image(data, name=path, as_stored=True, backend=backend)
    require_one_channel(label, path)
    if label.dtype != np.uint8:
        raise DataError(
            f"{path} holds {label.dtype} up to {label.max()}; expected 8-bit class indices, as in "
            "*_labelTrainIds.png (*_instanceIds.png has 16 bits): correct seg_map_suffix, or "
            f"convert it with `{CONVERT_COMMAND}`"
        )
    return np.ascontiguousarray(label)


def require_one_channel(label: np.ndarray, path: str) -> None:
    """Raise a DataError for a decoded label map with colors, alpha or three equal channels."""
    if label.ndim == 2:
        return
    colors = label[..., :3] if label.shape[2] > 2 else label[..., :1]
    if (colors == colors[..., :1]).all():
        raise DataError(
            f"{path} has {label.shape[2]} channels, equal or alpha; expected one channel of class "
            f"indices: convert it with `{CONVERT_COMMAND}`"
        )
    raise DataError(
        f"{path} is a color image of shape {label.shape}; expected one channel of class indices, "
        "as in *_labelTrainIds.png: correct seg_map_suffix, or convert it with "
        f"`{CONVERT_COMMAND} --map R,G,B=INDEX ...`"
    )


def check_same_size(
    label_shape: tuple[int, ...], image_shape: tuple[int, ...], label: str, image: str
) -> None:
    """Raise a DataError for a label map, of the file ``label``, of another size than its image."""
    if tuple(label_shape) != tuple(image_shape[:2]):
        raise DataError(
            f"{label} is {label_shape[0]} x {label_shape[1]} but its image {image} is "
            f"{image_shape[0]} x {image_shape[1]} (height x width); expected the same size: create "
            "the label map again"
        )
