"""One call from images to label maps.

Shape legend: H, W size of an image; K outputs of the network.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

from glore_seg.apis.inference.inputs import ImageInput, expand, to_rgb
from glore_seg.apis.inference.sources import build_predictor
from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.image_io import read_image
from glore_seg.utils.progress import track
from glore_seg.visualization.panels import overlay

# What a pipeline or network raises on an image that does not suit it; anything else ends a run.
_IMAGE_ERRORS = (DataError, ValueError, RuntimeError, cv2.error)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """An image and its label map.

    ``labels`` (H, W) of indices of ``classes``, uint8; ``image`` (H, W, 3), RGB, uint8, with EXIF's
    orientation applied; ``palette`` of RGB colors, 0 to 255; ``scores`` (K, H, W), float32, 0 to 1,
    None if not asked for; ``path`` None for an image from memory.
    """

    labels: np.ndarray = field(repr=False)
    image: np.ndarray = field(repr=False)
    classes: Sequence[str] = field(repr=False)
    palette: Sequence[Sequence[int]] = field(repr=False)
    scores: np.ndarray | None = field(default=None, repr=False)
    path: Path | None = None

    def overlay(self, opacity: float = 0.5) -> np.ndarray:
        """Blend the colored label map (opacity 0 to 1) over the image, (H, W, 3), RGB, uint8."""
        return overlay(self.image, self.labels, self.palette, opacity=opacity)

    def shares(self) -> dict[str, float]:
        """Share of the pixels of each class, 0 to 1; their sum is 1."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes)) / self.labels.size
        return dict(zip(self.classes, counts.tolist(), strict=False))


@dataclass(frozen=True, eq=False)
class Failure:
    """Why an image could not be segmented; ``path`` is None for an image from memory."""

    error: Exception
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class _Loaded:
    image: np.ndarray  # (H, W, 3), RGB, uint8
    path: Path | None
    name: str


class Segmenter:
    """A trained network, callable on an image.

    Images go through the config's own test pipeline, from its ``LoadImageFromFile`` on, so the
    label maps are those that ``tools/test.py`` scores; see ``docs/inference.md`` for 16 bits,
    alpha, EXIF and the like. Arrays are RGB, uint8 or uint16: (H, W), (H, W, 1), (H, W, 3) or
    (H, W, 4).

    Args:
        source: A config (a ``Config``, or a Python file, which is run) with ``checkpoint``; a
            ``.pth`` or ``.safetensors`` file with its config inside or beside it, or a folder from
            ``tools/model_converters/hub.py``, whose configs are never run; or an ``.onnx`` file
            from ``tools/export.py``.
        checkpoint: Weights for a config.
        device: Where the network runs. Default: the first GPU, else the CPU.
        precision: ``"fp32"``, or ``"bf16"`` for autocast to bfloat16.
        mode: ``"whole"`` or ``"slide"`` (the config's sliding windows). Default: the config's.
        tta: Whether to average over the config's scales and flips, by ``AccumulatingSegTTAModel``.
        cfg_options: Changes, such as ``{"model.test_cfg.crop_size": (512, 512)}``.

    Attributes:
        classes: Name of each class, whose color is in ``palette``.
        reduce_zero_label: Whether the files of the dataset store class k as k + 1.
        model: The network, with its test-time augmentation, on ``device``; None for ONNX.
        predictor: What runs the network, for example for :meth:`Predictor.project`.

    Raises:
        ConfigError: Source, checkpoint and options don't fit, or a config that came with weights
            could run code.
        CheckpointError: A checkpoint is missing, could run code, or is of another network.
        MissingDependencyError: ONNX or safetensors without their libraries.

    Example:
        >>> segmenter = Segmenter("glore.pth")  # doctest: +SKIP
        >>> segmenter("street.jpg").shares()["road"]  # doctest: +SKIP
        0.341
    """

    def __init__(
        self,
        source: Config | str | Path,
        *,
        checkpoint: str | Path | None = None,
        device: torch.device | str | None = None,
        precision: str = "fp32",
        mode: str | None = None,
        tta: bool = False,
        cfg_options: dict[str, Any] | None = None,
    ) -> None:
        self.predictor = build_predictor(
            source,
            checkpoint=checkpoint,
            device=device,
            precision=precision,
            mode=mode,
            tta=tta,
            cfg_options=cfg_options,
        )
        self.classes: tuple[str, ...] = self.predictor.classes
        self.palette = self.predictor.palette
        self.reduce_zero_label = self.predictor.reduce_zero_label
        self.device: torch.device = self.predictor.device
        self.model: nn.Module | None = self.predictor.model
        if len(self.classes) > 255:
            raise ConfigError(
                f"{len(self.classes)} classes; expected at most 255, as labels are uint8"
            )

    def __call__(self, image: ImageInput, *, scores: bool = False) -> Segmentation:
        """Segment one image: a path, an array (RGB) or a PIL image.

        With ``scores`` it returns them, too: 4 K bytes per pixel, 160 MB for Cityscapes.

        Raises:
            DataError: The image is missing, or cannot be read or segmented.
            ConfigError: The network gives no scores.
        """
        self._check_scores(scores)
        loaded = self._load(Path(image) if isinstance(image, str) else image)
        (result,) = self._run([loaded], scores=scores)
        if isinstance(result, Failure):
            raise result.error
        return result

    def stream(
        self,
        inputs: ImageInput | Iterable[ImageInput],
        *,
        scores: bool = False,
        batch_size: int = 1,
        progress: bool = False,
    ) -> Iterator[Segmentation | Failure]:
        """Segment images, folders and globs, lazily: yield a :class:`Segmentation` for each image.

        An image that cannot be read or segmented gives a :class:`Failure`. An iterator is read as
        results are taken. At most ``batch_size`` consecutive images of equal size run together.

        Raises:
            ConfigError: ``batch_size`` is less than 1, or the network gives no scores.
            DataError: A folder or a glob has no images.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}; expected 1 or more")
        self._check_scores(scores)
        images: Any = expand(inputs)
        if not isinstance(inputs, Iterator):
            images = list(images)
        total = len(images) if isinstance(images, list) else None
        loaded = (self._load(image, f"image {index}") for index, image in enumerate(images))
        results = (
            result
            for batch in _batches(loaded, batch_size)
            for result in self._run(batch, scores=scores)
        )
        return track(results, total, "segmenting", show=progress)

    def _check_scores(self, scores: bool) -> None:
        if scores and not self.predictor.gives_scores:
            raise ConfigError(
                "this network gives labels, not scores: export an ONNX file with logits, or use "
                "AccumulatingSegTTAModel as tta_model"
            )

    def _load(
        self, image: Path | np.ndarray | Image.Image, name: str = "the image"
    ) -> _Loaded | Failure:
        path = image if isinstance(image, Path) else None
        try:
            if isinstance(image, Path):
                if not self.predictor.reads_color:
                    return _Loaded(self.predictor.load_displayable(image), path, str(path))
                pixels = read_image(image, backend=self.predictor.decoder, check_complete=True)
                return _Loaded(pixels, path, str(path))
            return _Loaded(to_rgb(image, name=name), None, name)
        except (DataError, OSError) as error:
            return Failure(error, path)

    def _run(self, batch: list[Any], *, scores: bool) -> list[Segmentation | Failure]:
        """Segment images of one size; failures pass."""
        if isinstance(batch[0], Failure):
            return batch
        try:
            own = not self.predictor.reads_color  # the pipeline's loader reads the file
            images = [one.path if own and one.path else one.image for one in batch]
            found = self.predictor.predict_batch(images, scores=scores)
        except ConfigError:
            raise
        except _IMAGE_ERRORS as error:
            if len(batch) > 1:  # one of them may be the reason, or their number
                return [result for one in batch for result in self._run([one], scores=scores)]
            (one,) = batch
            height, width = one.image.shape[:2]
            named = DataError(f"{one.name} ({height} x {width} pixels): {error}")
            named.__cause__ = error
            return [Failure(named, one.path)]
        return [
            Segmentation(labels, one.image, self.classes, self.palette, values, one.path)
            for one, (labels, values) in zip(batch, found, strict=True)
        ]


def _batches(items: Iterable[_Loaded | Failure], batch_size: int) -> Iterator[list[Any]]:
    """Group consecutive images of one size, and consecutive failures."""
    sizes = itertools.groupby(items, lambda one: isinstance(one, _Loaded) and one.image.shape)
    for _, group in sizes:
        while batch := list(itertools.islice(group, batch_size)):
            yield batch
