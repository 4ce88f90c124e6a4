"""The loss of the validation images, beside their scores."""

from itertools import zip_longest
from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from glore_seg.engine.checkpoint_checks import unwrap
from glore_seg.errors import ConfigError


@HOOKS.register_module()
class ValidationLossHook(Hook):
    """Adds ``val_loss``, the mean over the validation images of the decode head's loss.

    It is logged with the scores, and ``save_best="val_loss"`` and early stopping can use it. It is
    computed from the logits and labels at the size of the labels, without auxiliary heads.

    Raises:
        ConfigError: The head's loss does not depend on its logits alone, or the pipeline of the
            validation loads no labels.
    """

    priority = "HIGHEST"  # before what logs and reads the scores

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._head: Any = None

    def before_train(self, runner: Runner) -> None:
        """Look at the head before a training that will validate."""
        if runner.val_loop is not None:
            self.before_val(runner)

    def before_val(self, runner: Runner) -> None:
        """Look at the head."""
        self._head = getattr(unwrap(runner.model), "decode_head", None)
        if isinstance(self._head, torch.nn.ModuleList):  # of a cascade
            self._head = self._head[-1]
        own = getattr(type(self._head), "loss_by_feat", None)
        if own is not BaseDecodeHead.loss_by_feat:
            raise ConfigError(
                f"ValidationLossHook with a {type(self._head).__name__}; expected a decode head "
                "with mmseg's own loss of logits: leave the hook out"
            )

    def before_val_epoch(self, runner: Runner) -> None:
        """Begin with no images."""
        self._losses = []

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Compute the loss of each image."""
        for sample in outputs:
            if "gt_sem_seg" not in sample:
                raise ConfigError(
                    f"{sample.get('img_path')} has no gt_sem_seg for ValidationLossHook; expected "
                    "a label: add LoadAnnotations to the pipeline of val_dataloader"
                )
            logits = sample.seg_logits.data[None].float()  # (1, K, H, W)
            if logits.shape[1] == 1:  # mmseg has applied a sigmoid
                logits = logits.logit(1e-6)
            with torch.no_grad():
                found = self._head.loss_by_feat(logits, [sample])
            losses = [value.mean().item() for name, value in found.items() if "loss" in name]
            self._losses.append(sum(losses))

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Average over the images of all processes."""
        if metrics is None:
            return
        gathered = zip_longest(*all_gather_object(self._losses))  # in the order of the dataset
        losses = [loss for group in gathered for loss in group if loss is not None]
        losses = losses[: len(runner.val_dataloader.dataset)]  # the sampler repeats some
        metrics["val_loss"] = sum(losses) / len(losses)
