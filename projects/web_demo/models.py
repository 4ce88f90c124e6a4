"""The networks of the page.

Shape legend: H, W size of an image; N nodes of a unit; h, w size of its map.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from glore_seg.apis.inference import Segmentation, Segmenter
from glore_seg.apis.predictor import Predictor
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit


class PageModel:
    """A network with its units by name, without those of an auxiliary head."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self.classes = tuple(segmenter.classes)
        self.palette = segmenter.palette
        modules = segmenter.model.named_modules() if segmenter.model else ()  # None for ONNX
        self.units: dict[str, GloReUnit] = {
            name: module
            for name, module in modules
            if isinstance(module, GloReUnit) and not name.startswith("auxiliary_head")
        }

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Label map (H, W), uint8, of an image (H, W, 3), RGB, uint8."""
        found = self._segmenter(image)
        assert isinstance(found, Segmentation)  # of one image
        return found.labels

    def project(self, image: np.ndarray, unit: str) -> np.ndarray:
        """Projection weights of a unit on an image, (N, h, w), float32."""
        predictor = self._segmenter.predictor
        assert isinstance(predictor, Predictor)  # ONNX has no units
        return predictor.project(image, self.units[unit])


def load_page_models(
    checkpoints: Sequence[str | Path],
    configs: Sequence[str] = (),
    *,
    device: torch.device | str | None = None,
) -> dict[str, PageModel]:
    """Load networks with the same classes, by the fewest last parts of their paths that are unique.

    ``configs`` are none if each checkpoint has its own in or beside it, one for all, or one for
    each; ``device`` is by default the first GPU, else the CPU.

    Raises:
        ConfigError: A checkpoint is repeated, the number of configs is another, or the classes
            differ.
    """
    names = _short_names(checkpoints)
    if len(configs) not in (0, 1, len(checkpoints)):
        raise ConfigError(
            f"{len(configs)} configs for {len(checkpoints)} checkpoints; expected none, one for "
            "all, or one for each"
        )
    if configs:
        each = [*configs] * (len(checkpoints) // len(configs))
        pairs = zip(each, checkpoints, strict=True)
        segmenters = [Segmenter(config, checkpoint=path, device=device) for config, path in pairs]
    else:
        segmenters = [Segmenter(path, device=device) for path in checkpoints]
    models = dict(zip(names, map(PageModel, segmenters), strict=True))
    if len({model.classes for model in models.values()}) > 1:
        known = (f"{name}: {', '.join(model.classes)}" for name, model in models.items())
        raise ConfigError(f"the models have different classes: {'; '.join(known)}")
    return models


def _short_names(paths: Sequence[str | Path]) -> list[str]:
    parts = [Path(path).resolve().with_suffix("").parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    raise ConfigError(f"checkpoints are {', '.join(map(str, paths))}; expected each once")
