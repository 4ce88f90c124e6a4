"""The networks that a page shows.

Shape legend: H, W sizes of an image; N nodes of a unit; h, w sizes of its map.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from glore_seg.apis.inference import Segmentation, Segmenter
from glore_seg.apis.predictor import Predictor
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.visualization import adjacencies


class PageModel:
    """A network with its units by name.

    Args:
        segmenter: The network.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self.classes = tuple(segmenter.classes)
        self.palette = [tuple(map(int, color)) for color in segmenter.palette]
        model = segmenter.model
        units = {} if model is None else dict(model.named_modules())
        self.units: dict[str, GloReUnit] = {
            name: module
            for name, module in units.items()
            # predictions do without it
            if isinstance(module, GloReUnit) and not name.startswith("auxiliary_head")
        }

    def segment(self, image: np.ndarray) -> Segmentation:
        """Segment an image (H, W, 3), RGB, uint8."""
        found = self._segmenter(image)
        assert isinstance(found, Segmentation)  # of one image
        return found

    def project(self, image: np.ndarray, unit: str) -> np.ndarray:
        """Projection weights of a unit on an image, (N, h, w), float32.

        Raises:
            KeyError: The network has no such unit.
            ConfigError: It does not call the unit once for an image.
        """
        predictor = self._segmenter.predictor
        assert isinstance(predictor, Predictor)  # an ONNX file has no unit
        return predictor.project(image, self.units[unit])

    def adjacencies(self, unit: str) -> list[np.ndarray]:
        """Adjacency of each graph convolution of a unit, (N, N)."""
        return adjacencies(self.units[unit])


def load_page_models(
    checkpoints: Sequence[str | Path],
    configs: Sequence[str] = (),
    *,
    device: torch.device | str | None = None,
) -> dict[str, PageModel]:
    """Load networks that know the same classes.

    Args:
        checkpoints: Their files; an ONNX file has no units to look into.
        configs: None where the config lies within or beside each checkpoint, one for all, or one
            for each.
        device: Where they run. Default: the first GPU where there is one, else the CPU.

    Returns:
        Each by a name made of its path, as short as tells them apart.

    Raises:
        ConfigError: No checkpoint, one given twice, another number of configs, or networks that
            know different classes.
    """
    if not checkpoints:
        raise ConfigError(
            "no checkpoint; expected one, or two or more to compare: give --checkpoint"
        )
    if len(configs) not in (0, 1, len(checkpoints)):
        raise ConfigError(
            f"{len(configs)} configs for {len(checkpoints)} checkpoints; expected none, one for "
            "all, or one for each"
        )
    each: list[str | None] = [*configs] or [None]
    each *= len(checkpoints) // len(each)
    models = {
        name: PageModel(
            Segmenter(path, device=device)
            if config is None
            else Segmenter(config, checkpoint=path, device=device)
        )
        for name, path, config in zip(short_names(checkpoints), checkpoints, each, strict=True)
    }
    check_same_classes(models)
    return models


def check_same_classes(models: Mapping[str, PageModel]) -> None:
    """Refuse networks whose label maps cannot be compared.

    Raises:
        ConfigError: They know different classes.
    """
    if len({model.classes for model in models.values()}) > 1:
        raise ConfigError(
            "the models know different classes, so one page cannot compare them: "
            + "; ".join(f"{name}: {', '.join(model.classes)}" for name, model in models.items())
        )


def short_names(paths: Sequence[str | Path]) -> list[str]:
    """Name files by the fewest last parts of their paths that tell them apart.

    Raises:
        ConfigError: One is given twice.
    """
    parts = [Path(path).resolve().with_suffix("").parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    raise ConfigError(
        f"checkpoints {', '.join(map(str, paths))} name one twice; expected each once: leave it out"
    )
