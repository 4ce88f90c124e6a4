"""Losses that are not finite stop the training or skip the step."""

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

from glore_seg.errors import GloReSegError
from glore_seg.layers.arguments import check_choice

_MAX_IN_A_ROW = 10


class NonFiniteLossError(GloReSegError, ArithmeticError):
    """The loss is nan or inf; the weights are those of the iteration before."""


class NonFiniteLossCheck:
    """Checks each loss before the optimizer's step, so that no weight turns into nan.

    Whether the loss is finite is computed on the device behind the forward pass and copied to the
    host asynchronously. The host reads it when it has queued the backward pass: the device never
    waits for the host. All processes agree on the answer.

    A skipped step changes neither weights, nor the optimizer's state, nor statistics of norms. The
    schedule counts it. With ``accumulative_counts`` it also drops the gradients that were
    accumulated before it. Ten skipped steps in a row stop the training.

    ``runner`` has a single ``OptimWrapper``, others are not checked; ``action`` is ``"stop"``, by a
    :class:`NonFiniteLossError`, or ``"skip"``.
    """

    def __init__(self, runner: Runner, action: str) -> None:
        check_choice("nonfinite_loss", action, ("stop", "skip"))
        self._runner = runner
        self._skips = action == "skip"
        self._in_a_row = 0
        self._batch: Any = None
        self._buffers: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def active(self) -> Iterator[None]:
        """Check all losses that pass through the optimizer's wrapper within the context."""
        wrapper = self._runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapper):
            yield
            return
        backward, should_update = wrapper.backward, wrapper.should_update

        def checked_backward(loss: Tensor, **options: Any) -> None:
            flag = _HostFlag(_is_finite(loss.detach()))
            backward(loss, **options)
            if flag.read():
                self._in_a_row = 0
            else:
                self._in_a_row += 1
                self._handle(loss.detach())

        def checked_should_update() -> bool:
            return not self._in_a_row and should_update()

        wrapper.backward, wrapper.should_update = checked_backward, checked_should_update
        try:
            yield
        finally:
            del wrapper.backward, wrapper.should_update

    def before_iter(self, batch: Any) -> None:
        """Keep what a report or a skipped step needs."""
        self._batch = batch
        if self._skips:
            if not self._buffers:
                self._buffers = [(b, b.clone()) for b in self._runner.model.buffers()]
            for buffer, saved in self._buffers:
                saved.copy_(buffer)

    def _handle(self, loss: Tensor) -> None:
        is_own = not bool(torch.isfinite(loss).all())
        text = f"the loss{'' if is_own else ' of another process'} is not finite "
        text += f"at iteration {self._runner.iter + 1}"
        text += f" ({loss.item():g}): {self._image_names()}" if is_own else ""
        if not self._skips:
            raise NonFiniteLossError(
                f"{text}. The weights are those of the iteration before. Look at these images, "
                "lower the learning rate, or set train_cfg.nonfinite_loss='skip'"
            )
        if self._in_a_row >= _MAX_IN_A_ROW:
            raise NonFiniteLossError(
                f"{text}, as were the {_MAX_IN_A_ROW - 1} losses before: lower the learning rate "
                "and go on with --resume"
            )
        print_log(f"{text}. The step is skipped", logger="current", level=logging.WARNING)
        self._runner.optim_wrapper.zero_grad()
        for buffer, saved in self._buffers:
            buffer.copy_(saved)

    def _image_names(self) -> str:
        samples = self._batch.get("data_samples", []) if isinstance(self._batch, dict) else []
        keys = ("img_path", "filename", "frame_dir")
        found = (next(filter(None, (getattr(s, key, None) for key in keys)), None) for s in samples)
        return ", ".join(str(name) for name in found if name) or "the batch names no files"


class _HostFlag:
    """A flag that is copied from the device to the host without waiting."""

    def __init__(self, flag: Tensor) -> None:
        self._value = flag
        self._copied: torch.cuda.Event | None = None
        if flag.is_cuda:
            self._value = torch.empty_like(flag, device="cpu", pin_memory=True)
            self._value.copy_(flag, non_blocking=True)
            self._copied = torch.cuda.Event()
            self._copied.record()

    def read(self) -> bool:
        """Wait for what was queued before the copy, not for what was queued after it."""
        if self._copied is not None:
            self._copied.synchronize()
        return bool(self._value.cpu().numpy())


def _is_finite(loss: Tensor) -> Tensor:
    """Whether the loss is finite in all processes, on its device."""
    finite = torch.isfinite(loss).all()
    if get_world_size() > 1:
        finite = finite.to(torch.int32)
        all_reduce(finite, "min")
    return finite
