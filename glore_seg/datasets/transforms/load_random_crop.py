"""Choose scale, crop and flip first; read and resize only what the crop needs."""

from __future__ import annotations

import io

import cv2
import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmcv.image.geometric import rescale_size
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS
from PIL import Image

from glore_seg.datasets.packed import read_packed
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations
from glore_seg.datasets.transforms.resampling import (
    Crop,
    crop_of_resized_image,
    crop_of_resized_label,
)
from glore_seg.errors import DataError

_TRIES = 10
_LEVELS = np.arange(256)


@TRANSFORMS.register_module()
class LoadRandomResizeCropFlip(BaseTransform):
    """Five of mmsegmentation's transforms in one, with their very random numbers.

    Stands for ``LoadImageFromFile``, ``LoadAnnotations`` (with the checks of
    ``LoadCheckedAnnotations``), ``RandomResize``, ``RandomCrop`` and ``RandomFlip``. With the same
    state of ``numpy.random`` it cuts the same crop: labels equal to the pixel, gray levels within
    1 (see ``resampling.py``). Where the dataset has a pack, the crop is read from there and the
    image is never decoded; the values of labels are then checked in the crop alone, since the
    whole label was checked when it was packed.

    Required keys: ``img_path``, ``seg_map_path``, ``label_map``, ``reduce_zero_label``,
    ``seg_fields``, and ``packed`` where there is a pack. Added: ``img`` (h, w, 3), ``gt_seg_map``
    (h, w), ``ori_shape``, ``img_shape``, ``scale``, ``scale_factor``, ``keep_ratio``, ``flip`` and
    ``flip_direction``.

    Args:
        scale: Width and height that a ratio of 1 stands for, in pixels.
        crop_size: Height and width of the crop, or one number for both; an image that is smaller
            after resizing gives a smaller crop.
        ratio_range: Least and greatest ratio, above 0; uniform between them.
        keep_ratio: Whether images keep their shape and ``scale`` is the box that they fit in.
        cat_max_ratio: Greatest share of one class among the pixels with a class, 0 to 1. Ten crops
            are tried, the last of eleven is taken as it comes; 1 takes the first.
        flip_prob: Probability of mirroring left to right, 0 to 1.
        num_classes: As for ``LoadCheckedAnnotations``.
        ignore_index: The value of pixels without class, 0 to 255.
        imdecode_backend: Reads images and labels: ``"cv2"``, ``"pillow"`` or another of
            ``mmcv.imfrombytes``.
        backend_args: File backend, as for ``LoadAnnotations``.

    Raises:
        DataError: If an argument is out of its range, a file can't be read, or a label doesn't
            fit.
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
        height, width = (crop_size, crop_size) if isinstance(crop_size, int) else crop_size
        _check_pair("scale", scale, "width and height of at least 1", least=1)
        _check_pair("crop_size", (height, width), "height and width of at least 1", least=1)
        _check_pair("ratio_range", ratio_range, "two ratios above 0, the least first")
        if ratio_range[0] > ratio_range[1]:
            raise DataError(f"ratio_range is {ratio_range}; expected the least ratio first")
        for name, value in (("cat_max_ratio", cat_max_ratio), ("flip_prob", flip_prob)):
            if not 0 <= value <= 1:
                raise DataError(f"{name} is {value}; expected 0 to 1")
        self.scale = tuple(scale)
        self.crop_size = (height, width)
        self.ratio_range = tuple(ratio_range)
        self.keep_ratio = keep_ratio
        self.cat_max_ratio = cat_max_ratio
        self.flip_prob = flip_prob
        self.ignore_index = ignore_index
        self.imdecode_backend = imdecode_backend
        self.backend_args = backend_args
        self._labels = LoadCheckedAnnotations(
            num_classes=num_classes,
            ignore_index=ignore_index,
            backend_args=backend_args,
            imdecode_backend=imdecode_backend,
        )

    def transform(self, results: dict) -> dict:
        """Load a random crop; see the class for the keys."""
        self._labels.path_of(results)
        if "packed" in results:
            image, stored = read_packed(results["packed"])
        else:
            image, stored = None, self._labels.read(results)
        shape = stored.shape
        scale = self._random_scale()
        width, height = rescale_size(shape[::-1], scale) if self.keep_ratio else scale
        crop, label = self._random_crop(stored, (height, width), results)
        flip = self._random_flip()
        if image is None:
            image = self._read_image(results["img_path"], shape)
        results["img"] = crop_of_resized_image(image, crop, flip=flip)
        results["gt_seg_map"] = cv2.flip(label, 1) if flip else label
        results["seg_fields"].append("gt_seg_map")
        results["ori_shape"] = shape
        results["img_shape"] = crop.size
        results["scale"] = scale
        results["scale_factor"] = (width / shape[1], height / shape[0])
        results["keep_ratio"] = self.keep_ratio
        results["flip"] = flip
        results["flip_direction"] = "horizontal" if flip else None
        return results

    @cache_randomness
    def _random_scale(self) -> tuple[int, int]:
        """Draw the box (width, height) to resize to, as ``RandomResize``."""
        low, high = self.ratio_range
        ratio = np.random.random_sample() * (high - low) + low
        return int(self.scale[0] * ratio), int(self.scale[1] * ratio)

    @cache_randomness
    def _random_flip(self) -> bool:
        """Draw whether to mirror, as ``RandomFlip``."""
        probabilities = [self.flip_prob, 1.0 - self.flip_prob]
        return bool(np.random.choice([True, False], p=probabilities))

    @cache_randomness
    def _random_crop(
        self, stored: np.ndarray, resized: tuple[int, int], results: dict
    ) -> tuple[Crop, np.ndarray]:
        """Draw a crop as ``RandomCrop`` does; return it and its label as training sees it."""
        table = self._labels.mapping(results)
        crop = self._draw(resized)
        label = crop_of_resized_label(stored, crop)
        for _ in range(_TRIES if self.cat_max_ratio < 1 else 0):
            counts = cv2.calcHist([label], [0], None, [256], [0, 256]).ravel()
            if self._is_mixed(counts, table):
                break
            crop = self._draw(resized)
            label = crop_of_resized_label(stored, crop)
        else:
            counts = None
        if "packed" in results and (
            counts is None or counts[self._labels.wrong_values(results)].any()
        ):
            self._labels.check_values(label, results)
        return crop, label if table is None else cv2.LUT(label, table)

    def _draw(self, resized: tuple[int, int]) -> Crop:
        size = (min(self.crop_size[0], resized[0]), min(self.crop_size[1], resized[1]))
        top = np.random.randint(0, resized[0] - size[0] + 1)
        left = np.random.randint(0, resized[1] - size[1] + 1)
        return Crop(resized, top, left, size)

    def _is_mixed(self, counts: np.ndarray, table: np.ndarray | None) -> bool:
        """Whether there are two classes or more, and none has too great a share."""
        table = _LEVELS if table is None else table
        counts = np.bincount(table, weights=counts, minlength=256)
        counts[[self.ignore_index, 255]] = 0  # 255 is where a subset of classes puts the others
        present = np.count_nonzero(counts)
        return bool(present > 1 and counts.max() / counts.sum() < self.cat_max_ratio)

    def _read_image(self, path: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the image, shape (H, W, 3), channels blue, green, red, uint8."""
        stored = fileio.get(path, backend_args=self.backend_args)
        try:
            Image.open(io.BytesIO(stored)).close()  # refuses what would unpack to gigabytes
            image = mmcv.imfrombytes(stored, flag="color", backend=self.imdecode_backend)
        except Exception as error:  # decoders raise whatever they stumble over
            raise DataError(f"{path} cannot be read as an image ({error}): get it again") from error
        if image is None:
            raise DataError(f"{path} cannot be read as an image: get it again")
        if image.shape[:2] != shape:
            raise DataError(
                f"{path} is {image.shape[0]} x {image.shape[1]} but its label is {shape[0]} x "
                f"{shape[1]} (height x width); expected the same size: make the label again"
            )
        return image

    def __repr__(self) -> str:
        """Return the settings."""
        return (
            f"{type(self).__name__}(scale={self.scale}, crop_size={self.crop_size}, "
            f"ratio_range={self.ratio_range}, keep_ratio={self.keep_ratio}, "
            f"cat_max_ratio={self.cat_max_ratio}, flip_prob={self.flip_prob}, "
            f"imdecode_backend='{self.imdecode_backend}', labels={self._labels})"
        )


def _check_pair(name: str, pair: tuple, expected: str, *, least: float = 0.0) -> None:
    if len(pair) != 2 or min(pair) < least or min(pair) <= 0:
        raise DataError(f"{name} is {pair}; expected {expected}")
