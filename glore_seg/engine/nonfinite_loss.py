"""Losses that are not finite: the training stops, or leaves the step out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from glore_seg.errors import ConfigError

ACTIONS = ("stop", "skip")
_MOST_IN_A_ROW = 10


class NonFiniteLossCheck:
    """Looks at each loss before it is propagated back, so that no weight turns into nan.

    A step that is left out changes no weight and no statistics of a norm; the schedule counts it.
    Several processes agree on it. Ten in a row stop the training in any case.

    Args:
        runner: With its model and a single ``OptimWrapper``; others are left alone.
        action: ``"stop"`` or ``"skip"``.

    Raises:
        ConfigError: ``action`` is something else; or, later, a loss stops the training.
    """

    def __init__(self, runner: Runner, action: str) -> None:
        if action not in ACTIONS:
            raise ConfigError(f"nonfinite_loss is {action!r}; expected one of {ACTIONS}")
        self._runner = runner
        self._skips = action == "skip"
        self._in_a_row = 0
        self._batch: Any = None
        self._buffers: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check what goes through the optimizer's wrapper while it is entered."""
        wrapper = self._runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapper):
            yield
            return
        update = wrapper.update_params

        def checked(loss: Tensor, *args: Any, **options: Any) -> None:
            if self._allows(loss):
                update(loss, *args, **options)

        wrapper.update_params = checked
        try:
            yield
        finally:
            del wrapper.update_params

    def begin(self, batch: Any) -> None:
        """Note the batch of the next step."""
        self._batch = batch
        if self._skips:
            if not self._buffers:
                self._buffers = [(b, b.clone()) for b in self._runner.model.buffers()]
            for buffer, copy in self._buffers:
                copy.copy_(buffer)

    def _allows(self, loss: Tensor) -> bool:
        finite = torch.isfinite(loss.detach()).all()
        if self._skips and get_world_size() > 1:
            number = finite.to(torch.int32)
            all_reduce(number, "min")
            finite = number.bool()
        if bool(finite):
            self._in_a_row = 0
            return True
        self._in_a_row += 1
        text = f"the loss is {loss.item():g} at iteration {self._runner.iter + 1}: {self._names()}"
        if not self._skips:
            raise ConfigError(
                f"{text}. The weights are those of the iteration before. Look at these images, "
                "lower the learning rate, or set train_cfg.nonfinite_loss='skip'"
            )
        if self._in_a_row >= _MOST_IN_A_ROW:
            raise ConfigError(
                f"{text}, and so were the {_MOST_IN_A_ROW - 1} losses before: lower the learning "
                "rate and go on with --resume"
            )
        print_log(f"{text}. This step is left out", logger="current", level=logging.WARNING)
        for buffer, copy in self._buffers:
            buffer.copy_(copy)
        return False

    def _names(self) -> str:
        samples = self._batch.get("data_samples", []) if isinstance(self._batch, dict) else []
        names = [_name_of(sample) for sample in samples]
        return ", ".join(name for name in names if name) or "the batch names no files"


def _name_of(sample: Any) -> str:
    found = (getattr(sample, key, None) for key in ("img_path", "filename", "frame_dir"))
    return next((str(name) for name in found if name), "")
