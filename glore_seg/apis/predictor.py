"""A trained network with the test pipeline of its config: from images to label maps.

Shape legend: H, W sizes of an image as it was stored; K outputs of the network; N nodes of a unit;
h, w sizes of its map.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseTTAModel
from mmengine.registry import DATASETS, init_default_scope
from torch import Tensor

from glore_seg.apis.model import Checkpoint, load_model
from glore_seg.apis.select_images import SelectedImage
from glore_seg.apis.splits import plain_dataset, without_labels
from glore_seg.apis.tasks import task_of
from glore_seg.engine.hooks.setup_check_hook import unwrap
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.models.segmentors import AccumulatingSegTTAModel

PRECISIONS = ("fp32", "bf16")

ImageData: TypeAlias = str | Path | np.ndarray
"""A file, or (H, W, 3), RGB, uint8."""


class Predictor:
    """A trained network with the test pipeline of its config: from an image to a label map.

    A classifier's has no label maps; its units' maps, by :meth:`project`, are what it is for.

    Args:
        cfg: Config of the network; after :func:`use_tta` with its test-time augmentation.
        checkpoint: Its weights.
        split: ``"test"`` or ``"val"``: whose dataset gives the pipeline, less the loading of
            labels, and the classes.
        device: Where the network runs. Default: the first GPU where there is one, else the CPU.
        precision: ``"fp32"`` or ``"bf16"``, autocast to bfloat16.

    Raises:
        ConfigError: The checkpoint is not there.
        ConfigError: The checkpoint is of another network, the dataset is made of others, or
            ``precision`` is another word.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: Checkpoint | str | Path,
        *,
        split: str = "test",
        device: torch.device | str | None = None,
        precision: str = "fp32",
    ) -> None:
        if precision not in PRECISIONS:
            raise ConfigError(
                f"precision is {precision!r}; expected one of {', '.join(PRECISIONS)}"
            )
        dataset = plain_dataset(cfg, split)
        self.model: Any = load_model(cfg, checkpoint, device=device)
        self.precision = precision
        self._scope = cfg.get("default_scope") or "mmseg"
        init_default_scope(self._scope)
        self._transforms = without_labels(dataset.pipeline)
        self._pipeline = Compose(self._transforms)
        # Not opened: the data need not be there to predict files.
        meta = DATASETS.build({**dataset, "lazy_init": True}).metainfo
        # A classifier's folders may tell its classes, and they are not opened.
        self.classes: tuple[str, ...] = tuple(meta.get("classes") or ())
        self.palette: list[Sequence[int]] = meta.get("palette") or []
        self._cuts = task_of(cfg).name != "segmentation"

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return next(self.model.parameters()).device

    @property
    def gives_scores(self) -> bool:
        """Whether :meth:`predict_batch` can; not with another test-time augmentation than ours."""
        return isinstance(self.model, AccumulatingSegTTAModel) or not isinstance(
            self.model, BaseTTAModel
        )

    @property
    def decoder(self) -> str:
        """What decodes files for the pipeline, a backend of ``mmcv.imfrombytes``."""
        return self._transforms[0].get("imdecode_backend", "cv2")

    def batch(self, *images: ImageData) -> dict[str, Any]:
        """Images as a batch, as ``model.test_step`` takes it."""
        return pseudo_collate([self._prepare(image) for image in images])

    def seen(self, image: SelectedImage) -> np.ndarray:
        """What of an image :meth:`project`'s maps lie over, (H, W, 3), RGB.

        For segmentation the whole image as stored, for a classifier what its test pipeline cuts
        out of it.
        """
        if not self._cuts:
            return image.image
        # As OpenMMLab loads it: blue first, uint8.
        return self.batch(image.path)["inputs"][0].numpy()[::-1].transpose(1, 2, 0)  # (H, W, 3)

    def predict(self, image: ImageData) -> np.ndarray:
        """Label map of an image, (H, W) of class indices, uint8."""
        ((labels, _),) = self.predict_batch([image])
        return labels

    @torch.no_grad()
    def predict_batch(
        self, images: Sequence[ImageData], *, scores: bool = False
    ) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Label maps of images that the pipeline brings to one size.

        Args:
            images: The images.
            scores: Whether to give the scores, too.

        Returns:
            For each image its label map, (H, W) of class indices, uint8, and, if asked, the
            scores that it was decided by, (K, H, W), float32, 0 to 1: softmax of the logits, or
            sigmoid where the network has one output. With test-time augmentation those of the mean.
        """
        batch = self.batch(*images)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            samples, found = self._step(batch, scores)
        return [
            (_labels(sample), None if one is None else one.float().cpu().numpy())
            for sample, one in zip(samples, found, strict=True)
        ]

    def _step(self, batch: dict[str, Any], scores: bool) -> tuple[list[Any], list[Tensor | None]]:
        if not scores:
            samples = self.model.test_step(batch)
            return samples, [None] * len(samples)
        if isinstance(self.model, AccumulatingSegTTAModel):
            samples, means = self.model.test_step_with_scores(batch)
            return samples, [*means]
        samples = self.model.test_step(batch)
        return samples, [_probabilities(sample.seg_logits.data) for sample in samples]

    def project(self, image: ImageData, unit: GloReUnit, *, mirrored: bool = False) -> np.ndarray:
        """Projection weights of a unit of the network on an image, (N, h, w), float32.

        The image runs through in one piece, also where the config tests by windows.

        Args:
            image: The image.
            unit: One of the network's.
            mirrored: Mirror the image left to right first.

        Raises:
            ConfigError: The network does not call the unit once, for example where the unit stands
                in an auxiliary head.
        """
        # Imported here: it imports matplotlib.
        from glore_seg.visualization.projections import capture_projections

        model: Any = unwrap(self.model)
        batch = self.batch(image)
        if mirrored:
            batch["inputs"] = [one.flip(-1) for one in batch["inputs"]]
        height, width = batch["inputs"][0].shape[-2:]
        inputs = model.data_preprocessor(batch, False)["inputs"]
        with torch.no_grad(), capture_projections(unit) as captured:
            model(inputs, mode="tensor")
        if len(captured) != 1:
            raise ConfigError(
                f"the network calls this unit {len(captured)} times for an image; expected once: "
                "give another unit"
            )
        weights = captured[0].squeeze(0).cpu().numpy()  # (N, h, w)
        # The preprocessor may have padded the image, at its right and bottom.
        h, w = weights.shape[-2:]
        padded_height, padded_width = inputs.shape[-2:]
        return weights[:, : round(h * height / padded_height), : round(w * width / padded_width)]

    def _prepare(self, image: ImageData) -> dict[str, Any]:
        item: dict[str, Any] = {"reduce_zero_label": False, "seg_fields": []}
        if isinstance(image, np.ndarray):
            # mmseg's pipelines hold blue first
            item["img"] = np.ascontiguousarray(image[..., ::-1])
            return cast(dict[str, Any], self._array_pipeline(item))
        item["img_path"] = str(image)
        return cast(dict[str, Any], self._pipeline(item))

    @cached_property
    def _array_pipeline(self) -> Compose:
        """The same pipeline for images that are in memory."""
        first, *rest = self._transforms
        if first["type"] != "LoadImageFromFile" or first.get("color_type", "color") != "color":
            raise ConfigError(
                f"the test pipeline begins with {dict(first)}; expected LoadImageFromFile of "
                "color images, in whose place arrays are put"
            )
        init_default_scope(self._scope)  # another's may have come since
        load = {"type": "LoadImageFromNDArray", "to_float32": first.get("to_float32", False)}
        return Compose([load, *rest])


def _labels(sample: Any) -> np.ndarray:
    return sample.pred_sem_seg.data.squeeze(0).cpu().numpy().astype(np.uint8)  # (H, W)


def _probabilities(logits: Tensor) -> Tensor:
    """Of the logits of a sample, (K, H, W); mmseg has made one output a probability itself."""
    return logits.float().softmax(0) if len(logits) > 1 else logits
