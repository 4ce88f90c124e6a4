"""A trained network with the test pipeline of its config: from images to label maps.

Shape legend: H, W size of an image as stored; K outputs of the network; N nodes of a unit; h, w
size of its map.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseTTAModel
from mmengine.registry import init_default_scope
from torch import Tensor

from glore_seg.apis.model import Checkpoint, load_model
from glore_seg.apis.splits import SelectedImage, plain_dataset, read_metainfo, without_labels
from glore_seg.apis.tasks import task_of
from glore_seg.engine.channels import check_channels, input_channels
from glore_seg.engine.checkpoint_checks import unwrap
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.models.segmentors import AccumulatingSegTTAModel
from glore_seg.utils.image_io import to_displayable

PRECISIONS = ("fp32", "bf16")

ImageData: TypeAlias = str | Path | np.ndarray
"""A file, or (H, W, 3), RGB, uint8."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network predicts for one image.

    ``labels`` (H, W) of class indices, uint8; ``scores`` (K, H, W), float32, 0 to 1, or None;
    ``sample`` with metainfo and, if the pipeline loads it, ground truth; ``milliseconds`` of the
    network per image of the batch, without loading.
    """

    labels: np.ndarray
    scores: np.ndarray | None
    sample: Any
    milliseconds: float


class Predictor:
    """A trained network with its test pipeline; it makes all predictions but ``Runner.test``'s.

    A classifier has no label maps; :meth:`project` gives the maps of its units.

    Args:
        cfg: Config of the network, after :func:`use_tta` with its test-time augmentation.
        checkpoint: Its weights.
        split: The dataset that gives the pipeline (without the loading of labels) and the classes.
        device: Where the network runs. Default: the first GPU, else the CPU.
        precision: ``"fp32"`` or ``"bf16"`` (autocast). Default: autocast if ``test_cfg.fp16``.

    Raises:
        ConfigError: ``precision`` is unknown, or the dataset wraps others.
        CheckpointError: The checkpoint is missing or belongs to another network.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: Checkpoint | str | Path,
        *,
        split: str = "test",
        device: torch.device | str | None = None,
        precision: str | None = None,
    ) -> None:
        if precision not in (None, *PRECISIONS):
            raise ConfigError(
                f"precision is {precision!r}; expected one of {', '.join(PRECISIONS)}"
            )
        self._transforms = without_labels(plain_dataset(cfg, split).pipeline)
        self.model: Any = load_model(cfg, checkpoint, device=device)
        self._dtype = torch.bfloat16 if precision == "bf16" else None
        fp16 = bool((cfg.get("test_cfg") or {}).get("fp16", False))
        self._autocast = fp16 if precision is None else precision == "bf16"
        meta = read_metainfo(cfg, split)  # sets the scope
        self._scope = cfg.get("default_scope") or "mmseg"
        self._pipeline = Compose(self._transforms)
        self.classes: tuple[str, ...] = tuple(meta.get("classes") or ())
        self.palette: list[Sequence[int]] = meta.get("palette") or []
        self.reduce_zero_label = bool(meta.get("reduce_zero_label"))
        self._crops = task_of(cfg).name != "segmentation"
        self._cfg, self._checked = cfg, False

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return next(self.model.parameters()).device

    @property
    def gives_scores(self) -> bool:
        """Whether scores can be had; not from mmseg's own test-time augmentation."""
        return isinstance(self.model, AccumulatingSegTTAModel) or not isinstance(
            self.model, BaseTTAModel
        )

    @property
    def decoder(self) -> str:
        """Decoder of the pipeline, a backend of ``mmcv.imfrombytes``."""
        return self._transforms[0].get("imdecode_backend", "cv2")

    @property
    def reads_color(self) -> bool:
        """Whether the pipeline begins with color images; else files go through its own loader."""
        first = self._transforms[0]
        return first["type"] == "LoadImageFromFile" and first.get("color_type", "color") == "color"

    def check_arrays(self) -> None:
        """Raise a ConfigError if images in memory, which are RGB, cannot be given."""
        first = self._transforms[0]
        gray = first["type"] == "LoadImageFromFile" and first.get("color_type") == "grayscale"
        if not (self.reads_color or gray):
            raise ConfigError(
                f"this network takes {input_channels(self._cfg)} channels, which its test pipeline "
                f"reads from files by {dict(first)}; images in memory and frames of videos are "
                "RGB: give the paths of image files, or a network of color or gray images"
            )

    def load_displayable(self, path: str | Path) -> np.ndarray:
        """What the pipeline's own loader reads of a file, (H, W, 3), RGB, uint8, to look at."""
        init_default_scope(self._scope)
        return to_displayable(Compose(self._transforms[:1])({"img_path": str(path)})["img"])

    def run(
        self, batches: Iterable[dict[str, Any]], *, scores: bool = False
    ) -> Iterator[Prediction]:
        """Predict each image of batches from :meth:`batch` or a dataloader.

        Scores are the softmax of the logits (sigmoid if the network has one output), with test-time
        augmentation their mean.
        """
        for batch in batches:
            start = time.perf_counter()
            # Not around the yield: autocast is a setting of the thread.
            with (
                torch.no_grad(),
                torch.autocast(self.device.type, dtype=self._dtype)
                if self._autocast
                else nullcontext(),  # some devices have none
            ):
                samples, found = self._step(batch, scores)
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            milliseconds = 1000 * (time.perf_counter() - start) / len(samples)
            for sample, one in zip(samples, found, strict=True):
                labels = sample.pred_sem_seg.data.squeeze(0).cpu().numpy().astype(np.uint8)
                values = None if one is None else one.float().cpu().numpy()
                yield Prediction(labels, values, sample, milliseconds)

    def predict(self, image: ImageData) -> np.ndarray:
        """Label map of an image, (H, W) of class indices, uint8."""
        (found,) = self.run([self.batch(image)])
        return found.labels

    def predict_batch(
        self, images: Sequence[ImageData], *, scores: bool = False
    ) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Label map and, if asked for, scores of images that the pipeline brings to one size."""
        found = self.run([self.batch(*images)], scores=scores)
        return [(one.labels, one.scores) for one in found]

    def batch(self, *images: ImageData) -> dict[str, Any]:
        """Images as a batch for ``model.test_step``."""
        return pseudo_collate([self._prepare(image) for image in images])

    def displayed_image(self, image: SelectedImage) -> np.ndarray:
        """The image that :meth:`project`'s maps cover, (H, W, 3), RGB.

        For segmentation the image as stored, for a classifier the crop of its test pipeline.
        """
        if not self._crops:
            return image.image if self.reads_color else self.load_displayable(image.path)
        # BGR, uint8, as OpenMMLab loads it.
        return self.batch(image.path)["inputs"][0].numpy()[::-1].transpose(1, 2, 0)  # (H, W, 3)

    def project(self, image: ImageData, unit: GloReUnit, *, mirrored: bool = False) -> np.ndarray:
        """Projection weights of a unit of the network on an image, (N, h, w), float32.

        The network gets the image in one piece, also if the config tests by sliding windows;
        ``mirrored`` flips it horizontally first.

        Raises:
            ConfigError: The network does not call the unit once, for example because the unit is
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
        # The preprocessor may have padded the image at the right and bottom.
        h, w = weights.shape[-2:]
        padded_height, padded_width = inputs.shape[-2:]
        return weights[:, : round(h * height / padded_height), : round(w * width / padded_width)]

    def _step(self, batch: dict[str, Any], scores: bool) -> tuple[list[Any], list[Tensor | None]]:
        if scores and isinstance(self.model, AccumulatingSegTTAModel):
            samples, means = self.model.test_step_with_scores(batch)
            return samples, [*means]
        samples = self.model.test_step(batch)
        return samples, [_probabilities(s.seg_logits.data) if scores else None for s in samples]

    def _prepare(self, image: ImageData) -> dict[str, Any]:
        item: dict[str, Any] = {"reduce_zero_label": False, "seg_fields": []}
        if isinstance(image, np.ndarray):
            self.check_arrays()
            code = cv2.COLOR_RGB2BGR if self.reads_color else cv2.COLOR_RGB2GRAY
            item["img"] = cv2.cvtColor(image, code)  # mmseg's pipelines hold BGR
            packed = self._array_pipeline(item)
        else:
            packed = self._pipeline({**item, "img_path": str(image)})
        if not self._checked:
            check_channels(self._cfg, unwrap(self.model), packed)
            self._checked = True
        return packed

    @cached_property
    def _array_pipeline(self) -> Compose:
        """The pipeline for images in memory."""
        first, *rest = self._transforms
        init_default_scope(self._scope)
        load = {"type": "LoadImageFromNDArray", "to_float32": first.get("to_float32", False)}
        return Compose([load, *rest])


def _probabilities(logits: Tensor) -> Tensor:
    """Scores from the logits of a sample, (K, H, W); mmseg applies sigmoid to one output itself."""
    return logits.float().softmax(0) if len(logits) > 1 else logits
