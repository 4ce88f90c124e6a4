"""mmsegmentation's FocalLoss and DiceLoss on class indices with ignored pixels.

``FocalLoss`` takes one column of the one-hot labels for all of them where it runs without mmcv's
compiled operator: an error about sizes, or a wrong loss where these happen to fit. ``DiceLoss``
counts what is predicted on ignored pixels as false positives, and with a single output takes label
0 for the class, where every other loss takes 1.
"""

import functools
import importlib
import importlib.util
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from glore_seg.compat.patch import Patch

_FOCAL, _DICE = (f"mmseg.models.losses.{name}_loss" for name in ("focal", "dice"))


def _one_hot(target: Tensor, valid: Tensor, num_outputs: int) -> Tensor:
    """One-hot labels, (N, K, H, W), of (N, H, W); one output is for label 1."""
    found = functional.one_hot(target.where(valid, 0), num_outputs + 1)
    return (found[..., 1:] if num_outputs == 1 else found[..., :-1]).movedim(-1, 1)


def _focal_not_needed() -> str:
    loss = importlib.import_module(_FOCAL).FocalLoss()
    try:
        found = loss(torch.zeros(2, 3, 1, 2), torch.zeros(2, 1, 2, dtype=torch.long))
    except RuntimeError:  # sizes
        return ""
    return "upstream takes class indices" if found.ndim == 0 else ""


def _patch_focal() -> None:
    module: Any = importlib.import_module(_FOCAL)
    upstream = module.FocalLoss.forward
    has_operator = importlib.util.find_spec("mmcv._ext") is not None

    @functools.wraps(upstream)
    def forward(
        self: Any,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> Tensor:
        if pred.shape == target.shape or (pred.is_cuda and has_operator):
            options = (weight, avg_factor, reduction_override, ignore_index)
            return upstream(self, pred, target, *options, **kwargs)
        valid, outputs = target != ignore_index, pred.shape[1]
        one_hot = _one_hot(target, valid, outputs)
        reduction = reduction_override or self.reduction
        loss = self.loss_weight * module.py_sigmoid_focal_loss(
            *(each.movedim(1, -1).reshape(-1, outputs) for each in (pred, one_hot)),
            weight=None if weight is None else weight.reshape(-1),
            gamma=self.gamma,
            alpha=self.alpha,
            class_weight=self.class_weight,
            valid_mask=valid.reshape(-1, 1),
            reduction=reduction,
            avg_factor=avg_factor,
        )
        return loss.view(*target.shape, outputs).movedim(-1, 1) if reduction == "none" else loss

    module.FocalLoss.forward = forward


def _dice_not_needed() -> str:
    loss = importlib.import_module(_DICE).DiceLoss()
    target = torch.tensor([[[0, 255]]])
    first, second = (torch.tensor([[[[1.0, one]]] * 2]).transpose(0, 1) for one in (0.0, 9.0))
    same = loss(first, target) == loss(second, target)
    return "upstream leaves ignored pixels out" if same else ""


def _patch_dice() -> None:
    module: Any = importlib.import_module(_DICE)
    upstream = module.DiceLoss.forward

    @functools.wraps(upstream)
    def forward(
        self: Any,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> Tensor:
        if pred.shape == target.shape:
            options = (weight, avg_factor, reduction_override, ignore_index)
            return upstream(self, pred, target, *options, **kwargs)
        valid, outputs = target != ignore_index, pred.shape[1]
        if self.activate and (self.use_sigmoid or outputs > 1):
            pred = pred.sigmoid() if self.use_sigmoid else pred.softmax(1)
        return self.loss_weight * module.dice_loss(
            pred.masked_fill(~valid.unsqueeze(1), 0),
            _one_hot(target.clamp(0, outputs), valid, outputs) * valid.unsqueeze(1),
            weight,
            eps=self.eps,
            reduction=reduction_override or self.reduction,
            naive_dice=self.naive_dice,
            avg_factor=avg_factor,
            ignore_index=self.ignore_index,
        )

    module.DiceLoss.forward = forward


FOCAL = Patch(
    name="FocalLoss",
    reason="FocalLoss on class indices, without mmcv's operator: tensor sizes must match",
    upstream="mmseg",
    not_needed=_focal_not_needed,
    apply=_patch_focal,
    module=_FOCAL,
)
DICE = Patch(
    name="DiceLoss",
    reason="DiceLoss counts ignored pixels as false positives; of one output, label 0 as its class",
    upstream="mmseg",
    not_needed=_dice_not_needed,
    apply=_patch_dice,
    module=_DICE,
)
