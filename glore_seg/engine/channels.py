"""Channels of the images that a network takes: 3 of RGB, 1 of gray, more of other sensors."""

import inspect
import logging
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from glore_seg.errors import ConfigError


def input_channels(cfg: Config) -> int:
    """Channels of a config's network: ``backbone.in_channels``, else those of ``mean``, else 3."""
    model = cfg.get("model") or {}
    model = model.get("module") or model  # without test-time augmentation
    backbone = model.get("backbone") or {}
    given = backbone.get("in_channels", (backbone.get("backbone_cfg") or {}).get("in_channels"))
    if isinstance(given, int):
        return given
    preprocessor = model.get("data_preprocessor") or cfg.get("data_preprocessor") or {}
    mean = preprocessor.get("mean")
    return len(mean) if isinstance(mean, list | tuple) and len(mean) > 1 else 3


def check_channels(cfg: Config, network: nn.Module, packed: Any) -> None:
    """Compare the channels of a packed sample with those of the preprocessor and the network.

    A preprocessor with other means than channels is refused, unless one of them is 1, which is
    repeated. Another number than ``in_channels`` of the backbone is warned of, as it may be
    computed, and so are means of 8 bits for images of 16.

    Raises:
        ConfigError: The preprocessor cannot normalize the sample.
    """
    if isinstance(packed, dict) and packed.get("passes"):  # of LazyTestTimeAug
        packed = packed["passes"][0]()
    inputs: Any = packed.get("inputs") if isinstance(packed, dict) else None
    inputs = inputs[0] if isinstance(inputs, list) and inputs else inputs  # of augmentations
    mean = getattr(getattr(network, "data_preprocessor", None), "mean", None)
    if getattr(inputs, "ndim", 0) != 3 or not isinstance(mean, torch.Tensor | None):
        return  # clips have more axes than (C, H, W)
    channels = (len(inputs), 1 if mean is None else mean.numel())
    if len({*channels} - {1}) > 1:
        raise ConfigError(
            f"the images have {channels[0]} channels, model.data_preprocessor.mean has "
            f"{channels[1]}; expected the same number: set color_type of LoadImageFromFile "
            "('color', 'grayscale', or 'unchanged' for all channels of a file), or mean and std"
        )
    top = float(inputs.float().max())
    if mean is not None and mean.max() <= 255 and top > 50 * 255:  # far from 255, normalized
        _warn(
            f"the images have values up to {top:g}, and model.data_preprocessor.mean is at most "
            f"{float(mean.max()):g}: set mean and std to those of your images"
        )
    classes = type(getattr(network, "backbone", None)).__mro__  # a subclass may take **kwargs
    known = (inspect.signature(one).parameters for one in classes if issubclass(one, nn.Module))
    configurable = any("in_channels" in parameters for parameters in known)
    if configurable and input_channels(cfg) != max(channels):
        _warn(
            f"the images have {max(channels)} channels, the backbone takes {input_channels(cfg)}: "
            "set color_type of LoadImageFromFile in the pipeline, or model.backbone.in_channels "
            "with model.data_preprocessor.mean and std"
        )


def _warn(text: str) -> None:
    print_log(text, logger="current", level=logging.WARNING)
