"""Count what the network of a config costs, whatever its task."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from glore_seg.apis.complexity import Complexity, count_complexity
from glore_seg.apis.tasks import task_of
from glore_seg.engine.runner import build_model


def count_config(cfg: Config, input_shape: tuple[int, ...]) -> Complexity:
    """Build the network of a config without weights and count one forward pass.

    Args:
        cfg: Config of any of the three tasks.
        input_shape: One input: (C, H, W), and for video (C, T, H, W), a clip.

    Returns:
        Parameters and MACs.
    """
    model = build_model(cfg)
    shape, forward = _call(cfg, model, input_shape)
    return count_complexity(model, shape, forward=forward)


def meta_forward(
    cfg: Config, model: nn.Module, input_shape: tuple[int, ...]
) -> Callable[[], object]:
    """One forward pass without values, in the mode that the model is in.

    Args:
        cfg: The model's config.
        model: It is moved to torch's meta device.
        input_shape: As for :func:`count_config`.
    """
    shape, forward = _call(cfg, model.to("meta"), input_shape)
    return lambda: forward(torch.empty(shape, device="meta"))


def _call(
    cfg: Config, model: nn.Module, input_shape: tuple[int, ...]
) -> tuple[tuple[int, ...], Callable[..., object]]:
    video = task_of(cfg).name == "video"
    # A recognizer takes several clips of a video, and stops at its features unless told otherwise.
    options: dict[str, Any] = {"stage": "head"} if video else {}
    shape = (1, 1, *input_shape) if video else (1, *input_shape)
    return shape, partial(model, mode="tensor", **options)
