"""Load a label map, and reject one that would train on wrong classes without an error."""

import cv2
import numpy as np
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS

from glore_seg.datasets.label_checks import LabelFormat, check_same_size, decode_label
from glore_seg.errors import ConfigError
from glore_seg.utils.image_io import read_bytes


@TRANSFORMS.register_module()
class LoadCheckedAnnotations(LoadAnnotations):
    """mmsegmentation's ``LoadAnnotations`` that checks what it reads.

    A label map must have one 8-bit channel and the size of its image, and hold only the dataset's
    classes and ``ignore_index``. Values are checked as stored, before ``reduce_zero_label`` and
    the ``label_map`` of a subset of classes change them.

    An image that does not come from a dataset passes without a label: mmseg's ``MMSegInferencer``
    and ``inference_model`` drop ``LoadAnnotations`` from a pipeline by its name alone.

    Args:
        num_classes: Number of stored classes, 1 to 255; a ``label_map`` of the dataset, which has
            an entry for each class, takes precedence.
        ignore_index: Stored value of pixels without class, 0 to 255.
        backend_args: As for ``LoadAnnotations``.
        imdecode_backend: As for ``LoadAnnotations``.

    Raises:
        ConfigError: An argument is out of range.
        DataError: A label map does not fit; the text names the file.
    """

    def __init__(
        self,
        *,
        num_classes: int = 19,
        ignore_index: int = 255,
        backend_args: dict | None = None,
        imdecode_backend: str = "pillow",
    ) -> None:
        super().__init__(backend_args=backend_args, imdecode_backend=imdecode_backend)
        LabelFormat(num_classes, ignore_index)
        self.num_classes = num_classes
        self.ignore_index = ignore_index

    def _load_seg_map(self, results: dict) -> None:
        if "seg_fields" not in results:  # every dataset of mmseg sets it
            return
        label, table = self.read(results), self.format_of(results).class_table()
        results["gt_seg_map"] = label if table is None else cv2.LUT(label, table)
        results["seg_fields"].append("gt_seg_map")

    def read(self, results: dict) -> np.ndarray:
        """Return the checked label map with its stored values, (H, W), uint8."""
        path = label_path(results)
        data = read_bytes(path, backend_args=self.backend_args)
        label = decode_label(data, path=path, backend=self.imdecode_backend)
        # a test pipeline resizes the image before it loads the label: compare the size as loaded
        if results.get("ori_shape") is not None:
            check_same_size(label.shape, results["ori_shape"], path, str(results.get("img_path")))
        self.format_of(results).check_values(label, path)
        return label

    def format_of(self, results: dict) -> LabelFormat:
        """Return the format of the label maps of a dataset, from a sample of it."""
        return LabelFormat(
            self.num_classes,
            self.ignore_index,
            results.get("label_map"),
            bool(results.get("reduce_zero_label")),
        )


def label_path(results: dict) -> str:
    """Return the file of a sample's label map; raise :class:`ConfigError` if it has none."""
    path = results.get("seg_map_path")
    if path is None:
        raise ConfigError(
            f"{results.get('img_path')} has no label: leave LoadCheckedAnnotations out of the "
            "pipeline of data without labels"
        )
    return path
