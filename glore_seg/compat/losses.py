"""mmsegmentation's FocalLoss and DiceLoss on class indices with ignored pixels.

``FocalLoss`` takes one column of the one-hot labels for all of them where it runs without mmcv's
compiled operator: an error about sizes, or a wrong loss where these happen to fit. ``DiceLoss``
counts what is predicted on ignored pixels as false positives, and with a single output takes label
0 for the class, where every other loss takes 1.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from glore_seg.compat.patch import Patch

_FOCAL, _DICE = (f"mmseg.models.losses.{name}_loss" for name in ("focal", "dice"))


def _replace(kind: Any, compute: Callable[..., Tensor], *, has_cuda: bool = False) -> None:
    """Compute a loss of class indices anew, on GPUs too unless it ``has_cuda``."""
    upstream = kind.forward

    @functools.wraps(upstream)
    def forward(self: Any, pred: Tensor, target: Tensor, *args: Any, **options: Any) -> Tensor:
        if pred.shape == target.shape or (pred.is_cuda and has_cuda):
            return upstream(self, pred, target, *args, **options)
        names = ("weight", "avg_factor", "reduction_override", "ignore_index")
        options |= zip(names, args, strict=False)
        valid = target != options.get("ignore_index", 255)
        given = {name: options.get(name) for name in ("weight", "avg_factor")}
        reduction = options.get("reduction_override") or self.reduction
        return self.loss_weight * compute(self, pred, target, valid, reduction=reduction, **given)

    kind.forward = forward


def _one_hot(target: Tensor, valid: Tensor, num_outputs: int) -> Tensor:
    """One-hot labels, (N, K, H, W), of (N, H, W); one output is for label 1."""
    found = functional.one_hot(target.where(valid, 0), num_outputs + 1)
    return (found[..., 1:] if num_outputs == 1 else found[..., :-1]).movedim(-1, 1)


def _focal_not_needed() -> str:
    loss = importlib.import_module(_FOCAL).FocalLoss()
    try:
        found = loss(torch.zeros(2, 3, 1, 2), torch.zeros(2, 1, 2, dtype=torch.long))
    except (RuntimeError, ValueError):  # sizes
        return ""
    return "upstream takes class indices" if found.ndim == 0 else ""


def _patch_focal() -> None:
    module: Any = importlib.import_module(_FOCAL)

    def compute(
        self: Any,
        pred: Tensor,
        target: Tensor,
        valid: Tensor,
        *,
        weight: Tensor | None,
        **given: Any,
    ) -> Tensor:
        outputs = pred.shape[1]
        loss = module.py_sigmoid_focal_loss(
            pred.movedim(1, -1).reshape(-1, outputs),
            _one_hot(target, valid, outputs).movedim(1, -1).reshape(-1, outputs),
            weight=None if weight is None else weight.reshape(-1),
            gamma=self.gamma,
            alpha=self.alpha,
            class_weight=self.class_weight,
            valid_mask=valid.reshape(-1, 1),
            **given,
        )
        return loss.view(*target.shape, outputs).movedim(-1, 1) if loss.ndim else loss

    has_operator = importlib.util.find_spec("mmcv._ext") is not None
    _replace(module.FocalLoss, compute, has_cuda=has_operator)


def _dice_not_needed() -> str:
    loss = importlib.import_module(_DICE).DiceLoss()
    target = torch.tensor([[[0, 255]]])
    first, second = (torch.tensor([[[[1.0, one]]] * 2]).transpose(0, 1) for one in (0.0, 9.0))
    same = loss(first, target) == loss(second, target)
    return "upstream leaves ignored pixels out" if same else ""


def _patch_dice() -> None:
    module: Any = importlib.import_module(_DICE)

    def compute(self: Any, pred: Tensor, target: Tensor, valid: Tensor, **given: Any) -> Tensor:
        outputs = pred.shape[1]
        if self.activate and (self.use_sigmoid or outputs > 1):
            pred = pred.sigmoid() if self.use_sigmoid else pred.softmax(1)
        truth = _one_hot(target.clamp(0, outputs), valid, outputs) * valid.unsqueeze(1)
        options = {
            "eps": self.eps,
            "naive_dice": self.naive_dice,
            "ignore_index": self.ignore_index,
        }
        return module.dice_loss(pred.masked_fill(~valid.unsqueeze(1), 0), truth, **options, **given)

    _replace(module.DiceLoss, compute)


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
