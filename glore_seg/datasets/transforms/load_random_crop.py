"""Draw scale, crop and flip first; load and resize only what the crop needs."""

import cv2
import numpy as np
from mmcv.image.geometric import rescale_size
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS

from glore_seg.datasets.label_checks import LabelFormat, check_same_size
from glore_seg.datasets.packed import read_packed
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations, label_path
from glore_seg.datasets.transforms.resampling import (
    Crop,
    crop_of_resized_image,
    crop_of_resized_label,
)
from glore_seg.utils.image_io import decode_image, read_bytes

_TRIES = 10


@TRANSFORMS.register_module()
class LoadRandomResizeCropFlip(BaseTransform):
    """Five transforms of mmsegmentation in one, with the same random numbers.

    Replaces ``LoadImageFromFile``, ``LoadAnnotations`` (with the checks of
    ``LoadCheckedAnnotations``), ``RandomResize``, ``RandomCrop`` and ``RandomFlip``. The same state
    of ``numpy.random`` gives the same crop: labels equal to the pixel, gray levels within 1 (see
    ``resampling.py``). With a packed dataset the crop is read from there and no image is decoded;
    labels, which were checked when they were packed, are then checked in the crop alone.

    Required keys: ``img_path``, ``seg_map_path``, ``label_map``, ``reduce_zero_label``,
    ``seg_fields``, and ``packed`` with a packed dataset. Added: ``img`` (h, w, 3), ``gt_seg_map``
    (h, w), ``ori_shape``, ``img_shape``, ``scale``, ``scale_factor``, ``keep_ratio``, ``flip`` and
    ``flip_direction``.

    Args:
        scale: Width and height of an image at ratio 1, in pixels.
        crop_size: Height and width of the crop, or one number for both; an image that is smaller
            after resizing gives a smaller crop.
        ratio_range: Least and greatest ratio, above 0; uniform between them.
        keep_ratio: Whether images keep their aspect and ``scale`` is the box that they fit in.
        cat_max_ratio: Greatest share of one class among the pixels with a class, 0 to 1. Up to 11
            crops are drawn and the last is taken regardless; 1 takes the first.
        flip_prob: Probability of a horizontal flip, 0 to 1.
        num_classes: As for ``LoadCheckedAnnotations``.
        ignore_index: Value of pixels without class, 0 to 255.
        imdecode_backend: Decoder of images and labels, as for ``mmcv.imfrombytes``.
        backend_args: File backend, as for ``LoadAnnotations``.

    Raises:
        ConfigError: ``num_classes`` or ``ignore_index`` is out of range.
        DataError: A file cannot be read, or a label map does not fit.
    """

    def __init__(
        self,
        *,
        scale: tuple[int, int],
        crop_size: int | tuple[int, int],
        ratio_range: tuple[float, float] = (0.5, 2.0),
        keep_ratio: bool = True,
        cat_max_ratio: float = 0.75,
        flip_prob: float = 0.5,
        num_classes: int = 19,
        ignore_index: int = 255,
        imdecode_backend: str = "cv2",
        backend_args: dict | None = None,
    ) -> None:
        self.scale = tuple(scale)
        self.crop_size = (crop_size, crop_size) if isinstance(crop_size, int) else crop_size
        self.ratio_range = tuple(ratio_range)
        self.keep_ratio = keep_ratio
        self.cat_max_ratio = cat_max_ratio
        self.flip_prob = flip_prob
        self.ignore_index = ignore_index
        self.imdecode_backend = imdecode_backend
        self.backend_args = backend_args
        self.label_loader = LoadCheckedAnnotations(
            num_classes=num_classes,
            ignore_index=ignore_index,
            backend_args=backend_args,
            imdecode_backend=imdecode_backend,
        )

    def transform(self, results: dict) -> dict:
        """Load a random crop; see the class for the keys."""
        path = label_path(results)
        image: np.ndarray | None = None
        if "packed" in results:
            image, stored = read_packed(results["packed"])
        else:
            stored = self.label_loader.read(results)
        label_format = self.label_loader.format_of(results)
        scale = self._random_scale()
        width, height = rescale_size(stored.shape[::-1], scale) if self.keep_ratio else scale
        crop, label = self._random_crop(stored, (height, width), label_format)
        if "packed" in results:
            label_format.check_values(label, path)
        table = label_format.class_table()
        label = label if table is None else cv2.LUT(label, table)
        flip = self._random_flip()
        if image is None:
            image = self._read_image(results["img_path"])
            check_same_size(stored.shape, image.shape, path, results["img_path"])
        results["img"] = crop_of_resized_image(image, crop, flip=flip)
        results["gt_seg_map"] = cv2.flip(label, 1) if flip else label
        results["seg_fields"].append("gt_seg_map")
        results["ori_shape"] = stored.shape
        results["img_shape"] = crop.size
        results["scale"] = scale
        results["scale_factor"] = (width / stored.shape[1], height / stored.shape[0])
        results["keep_ratio"] = self.keep_ratio
        results["flip"] = flip
        results["flip_direction"] = "horizontal" if flip else None
        return results

    @cache_randomness
    def _random_scale(self) -> tuple[int, int]:
        """Draw the box (width, height) to resize to as ``RandomResize``."""
        low, high = self.ratio_range
        ratio = np.random.random_sample() * (high - low) + low
        return int(self.scale[0] * ratio), int(self.scale[1] * ratio)

    @cache_randomness
    def _random_flip(self) -> bool:
        """Draw whether to flip, as ``RandomFlip``."""
        probabilities = [self.flip_prob, 1.0 - self.flip_prob]
        return bool(np.random.choice([True, False], p=probabilities))

    @cache_randomness
    def _random_crop(
        self, stored: np.ndarray, resized: tuple[int, int], label_format: LabelFormat
    ) -> tuple[Crop, np.ndarray]:
        """Draw a crop as ``RandomCrop`` does; return it and its label map as stored."""
        table = label_format.class_table()
        crop = self._draw(resized)
        label = crop_of_resized_label(stored, crop)
        for _ in range(_TRIES if self.cat_max_ratio < 1 else 0):
            if self._is_mixed(label, table):
                break
            crop = self._draw(resized)
            label = crop_of_resized_label(stored, crop)
        return crop, label

    def _draw(self, resized: tuple[int, int]) -> Crop:
        size = (min(self.crop_size[0], resized[0]), min(self.crop_size[1], resized[1]))
        top = np.random.randint(0, resized[0] - size[0] + 1)
        left = np.random.randint(0, resized[1] - size[1] + 1)
        return Crop(resized, top, left, size)

    def _is_mixed(self, label: np.ndarray, table: np.ndarray | None) -> bool:
        """Whether a crop has two classes or more, none above ``cat_max_ratio``."""
        counts = cv2.calcHist([label], [0], None, [256], [0, 256]).ravel().astype(float)
        if table is not None:
            counts = np.bincount(table, weights=counts, minlength=256)
        counts[[self.ignore_index, 255]] = 0  # a subset of classes maps the others to 255
        present = np.count_nonzero(counts)
        return bool(present > 1 and counts.max() / counts.sum() < self.cat_max_ratio)

    def _read_image(self, path: str) -> np.ndarray:
        """Return the image, (H, W, 3), BGR, uint8."""
        data = read_bytes(path, backend_args=self.backend_args)
        return decode_image(data, name=path, channel_order="bgr", backend=self.imdecode_backend)
