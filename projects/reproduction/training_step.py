"""One training step without data loader and Runner, for measuring."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample


def make_batch(
    count: int, height: int, width: int, *, num_classes: int, device: torch.device | str
) -> dict[str, list]:
    """Make random images and labels as the data loader hands them over, but on the device.

    Args:
        count: Images.
        height: Of each, in pixels.
        width: Of each, in pixels.
        num_classes: Labels are 0 to ``num_classes - 1``.
        device: Where they lie.
    """
    samples = []
    for _ in range(count):
        label = torch.randint(0, num_classes, (1, height, width), device=device)
        sample = SegDataSample(gt_sem_seg=PixelData(data=label))
        sample.set_metainfo({"ori_shape": (height, width), "img_shape": (height, width)})
        samples.append(sample)
    images = [
        torch.randint(0, 256, (3, height, width), dtype=torch.uint8, device=device)
        for _ in range(count)
    ]
    return {"inputs": images, "data_samples": samples}


def make_step(
    model: BaseModel, batch: dict[str, list], optim_wrapper: dict[str, Any]
) -> Callable[[], object]:
    """Give what makes one step: preprocessing, loss, gradients, optimizer.

    Args:
        model: A segmentor; it is set to train.
        batch: From :func:`make_batch`.
        optim_wrapper: The config's.
    """
    optim = build_optim_wrapper(model.train(), ConfigDict(copy.deepcopy(optim_wrapper)))
    return lambda: model.train_step(copy.copy(batch), optim)
