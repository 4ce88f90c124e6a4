"""One call from images to label maps.

Shape legend: H, W size of an image; K outputs of the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from glore_seg.apis.inference.batching import in_batches
from glore_seg.apis.inference.inputs import ImageInput, Source, expand, is_single
from glore_seg.apis.inference.onnx_predictor import OnnxPredictor
from glore_seg.apis.inference.segmentation import Failure, Segmentation
from glore_seg.apis.inference.sources import build_predictor
from glore_seg.apis.predictor import Predictor
from glore_seg.errors import DataError
from glore_seg.utils.progress import track

# What reading one image can bring about; anything else ends a run.
_FAULTS = (OSError, ValueError, TypeError, RuntimeError, cv2.error)
_Read = tuple[Source, np.ndarray]


class Segmenter:
    """A trained network, callable on images.

    Images go through the config's own test pipeline, from its ``LoadImageFromFile`` on, so that
    a label map is the one that ``tools/test.py`` scores; see ``docs/inference.md`` for 16 bits,
    alpha, EXIF and the like. Arrays are RGB, uint8 or uint16: (H, W), (H, W, 1), (H, W, 3) or
    (H, W, 4).

    Args:
        source: A config (its file, which is Python and is run, or a ``Config``) with
            ``checkpoint``; a lone ``.pth`` or ``.safetensors`` checkpoint with its config inside
            or beside it, or a folder of ``tools/model_converters/hub.py``, whose configs are read
            and never run; or an ``.onnx`` file of ``tools/export.py``.
        checkpoint: Weights for a config.
        device: Where the network runs. Default: the first GPU where there is one, else the CPU.
        precision: ``"fp32"`` or ``"bf16"``, autocast to bfloat16.
        mode: ``"whole"`` images, ``"slide"`` for the config's sliding windows, or None, as the
            config says.
        tta: Whether to average over the config's scales and flips, by ``AccumulatingSegTTAModel``.
        cfg_options: Changes to the config, by dotted keys, such as
            ``{"model.test_cfg.crop_size": (512, 512)}``.

    Attributes:
        classes: Name of each class.
        palette: RGB color of each class, 0 to 255.
        device: Where the network runs.
        model: The network, in test-time augmentation if that was asked for; None for ONNX.

    Raises:
        DataError: A file is not there, or a lone checkpoint has no config.
        MissingDependencyError: ONNX or safetensors without their libraries.
        pickle.UnpicklingError: The checkpoint holds more than weights and training state.
        DataError: Source, checkpoint and options don't fit, or a config that came with weights
            could run code.

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
        self._predictor = build_predictor(
            source,
            checkpoint=checkpoint,
            device=device,
            precision=precision,
            mode=mode,
            tta=tta,
            cfg_options=cfg_options,
        )
        self.classes: tuple[str, ...] = self._predictor.classes
        self.palette: Sequence[Sequence[int]] = self._predictor.palette
        self.device: torch.device = self._predictor.device
        self.model: nn.Module | None = self._predictor.model
        if len(self.classes) > 255:
            raise DataError(
                f"{len(self.classes)} classes; expected at most 255, as labels are uint8"
            )

    @property
    def predictor(self) -> Predictor | OnnxPredictor:
        """What runs the network on prepared images, such as :meth:`Predictor.project`."""
        return self._predictor

    def __call__(
        self,
        inputs: ImageInput | Iterable[ImageInput],
        *,
        scores: bool = False,
        batch_size: int = 1,
        progress: bool = False,
    ) -> Segmentation | list[Segmentation]:
        """Segment images.

        Args:
            inputs: A path, an array (RGB) or a PIL image; or a folder (all images in it and in
                its folders), a glob, or a list of any of these.
            scores: Whether to keep the scores: 4 K bytes a pixel, 160 MB for an image of
                Cityscapes.
            batch_size: Images of equal size that run together, at most.
            progress: Whether to show a bar with the time left.

        Returns:
            One :class:`Segmentation` for one image, else a list of them in the order given.

        Raises:
            DataError: An image is not there.
            DataError: An image can't be read or segmented; the text names it. The first one
                ends the call: :meth:`stream` goes on.
        """
        found = []
        for result in self.stream(inputs, scores=scores, batch_size=batch_size, progress=progress):
            if isinstance(result, Failure):
                raise result.error
            found.append(result)
        return found[0] if is_single(inputs) else found

    def stream(
        self,
        inputs: ImageInput | Iterable[ImageInput],
        *,
        scores: bool = False,
        batch_size: int = 1,
        progress: bool = False,
    ) -> Iterator[Segmentation | Failure]:
        """Segment images one after the other, as the results are taken.

        Args:
            inputs: As for a call; an iterator is read as results are taken.
            scores: As for a call.
            batch_size: As for a call. Up to four times as many images are read ahead.
            progress: As for a call.

        Returns:
            An iterator over a :class:`Segmentation`, or a :class:`Failure` of an image that can't
            be read or segmented, for each image, in the order given.

        Raises:
            DataError: ``batch_size`` is less than 1, a folder or a glob holds no image, or the
                network gives no scores.
        """
        if batch_size < 1:
            raise DataError(f"batch_size is {batch_size}; expected 1 or more")
        if scores and not self._predictor.gives_scores:
            raise DataError(
                "scores can't be had of this network, which gives labels alone: export an ONNX "
                "file without argmax inside, and take AccumulatingSegTTAModel as tta_model"
            )
        sources: Iterable[Source] = expand(inputs)
        total = None
        if not isinstance(inputs, Iterator):
            sources = list(sources)
            total = len(sources)
        results = in_batches(
            (self._read(source) for source in sources),
            lambda batch: self._run(batch, scores=scores),
            key=_size,
            batch_size=batch_size,
        )
        return track(results, total, "segmenting", show=progress)

    def _read(self, source: Source) -> _Read | Failure:
        try:
            return source, source.read(backend=self._predictor.decoder)
        except _FAULTS as error:
            return Failure(error, source.path)

    def _run(
        self, batch: Sequence[_Read | Failure], *, scores: bool
    ) -> list[Segmentation | Failure]:
        images = [entry for entry in batch if not isinstance(entry, Failure)]
        if len(images) < len(batch):  # these come by themselves
            return [entry for entry in batch if isinstance(entry, Failure)]
        try:
            found = self._predictor.predict_batch([image for _, image in images], scores=scores)
        except Exception as error:  # what a config that came with weights leads to is unforeseen
            if len(batch) > 1:  # it may be one of them, or that they are many
                return [one for entry in batch for one in self._run([entry], scores=scores)]
            ((source, image),) = images
            return [Failure(_named(error, source, image), source.path)]
        return [
            Segmentation(labels, image, self.classes, self.palette, probabilities, source.path)
            for (source, image), (labels, probabilities) in zip(images, found, strict=True)
        ]


def _size(entry: _Read | Failure) -> tuple[int, ...] | None:
    return None if isinstance(entry, Failure) else entry[1].shape


def _named(error: Exception, source: Source, image: np.ndarray) -> ValueError:
    height, width = image.shape[:2]
    named = ValueError(
        f"{source.name} ({height} x {width} pixels, height x width) cannot be segmented: "
        f"{error if isinstance(error, ValueError | RuntimeError) else repr(error)}"
    )
    named.__cause__ = error
    return named
